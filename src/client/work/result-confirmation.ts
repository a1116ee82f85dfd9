import { CONFIRMATION_DELAY } from "../timings.ts";
import type { Report, SentResults, UnconfirmedResults } from "./unconfirmed-results.ts";

export interface ResultConfirmationOptions {
  /** Sends a ping that asks for confirmation, and returns its ID; null if it can't be sent now. */
  readonly ask: () => string | null;
  /** The mesh has committed the result. */
  readonly confirmed: (report: Report) => void;
}

/**
 * Asks the mesh to confirm the results that it was sent. One ping asks for all that were sent before it, and the next one
 * is not sent before that is answered: a peer that does many short tasks sends few pings.
 */
export class ResultConfirmation {
  readonly #results: UnconfirmedResults;
  readonly #options: ResultConfirmationOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asked: { readonly pingId: string; readonly sent: SentResults } | null = null;

  constructor(results: UnconfirmedResults, options: ResultConfirmationOptions) {
    this.#results = results;
    this.#options = options;
  }

  /** A result was given to the socket. */
  resultSent(): void {
    if (this.#asked === null) this.#timer ??= setTimeout(() => this.#ask(), CONFIRMATION_DELAY);
  }

  /** The mesh answered a ping. False if the ping did not ask for confirmation. */
  pongReceived(pingId: string | undefined): boolean {
    if (this.#asked === null || this.#asked.pingId !== pingId) return false;
    const { sent } = this.#asked;
    this.#asked = null;
    for (const report of this.#results.confirmed(sent)) this.#options.confirmed(report);
    if (this.#results.sent().size > 0) this.resultSent();
    return true;
  }

  /** The session ended. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#asked = null;
  }

  #ask(): void {
    this.#timer = null;
    const sent = this.#results.sent();
    if (sent.size === 0) return;
    const pingId = this.#options.ask();
    if (pingId === null) this.resultSent();
    else this.#asked = { pingId, sent };
  }
}
