import type {
  ConnectFailure,
  ConnectFailureCode,
  PeerEvent,
  PeerState,
} from "../../client/index.ts";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

/** How long a peer without `--retry` tries to connect for the first time: a mesh that starts beside it needs some seconds. */
export const FIRST_CONNECTION_MS = 10_000;

/** No session began. The exit code tells it from a refusal. */
export class Unreachable extends Failure {
  override readonly name = "Unreachable";
  override readonly code: string = "unreachable";
  override readonly exitCode: number = EXIT.unreachable;
}

/** These do not pass within seconds. */
const LASTING: ReadonlySet<ConnectFailureCode> = new Set([
  "tls_failed",
  "not_a_mesh",
  "redirected",
  "version_unsupported",
]);
export const isLasting = ({ code, systemCode }: ConnectFailure): boolean =>
  LASTING.has(code) || systemCode === "ENOTFOUND";

/** The mesh has decided on the peer, or the peer has ended. */
const ENDS: ReadonlySet<PeerEvent["type"]> = new Set(["ready", "rejected", "key_in_use", "closed"]);

interface FirstConnectionOptions {
  /** Without the secrets that a link has. */
  readonly url: string;
  readonly state: () => PeerState;
  readonly giveUp: (failure: Unreachable) => void;
  /** Whether the command has `--retry`. Default: true. */
  readonly hasRetry?: boolean;
}

/** Watches a peer until it has joined, and gives up when the mesh can't be reached. */
export class FirstConnection {
  readonly #options: FirstConnectionOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;
  #hasEnded = false;
  #last: { readonly reason: string; readonly failure: ConnectFailure | undefined } | null = null;

  constructor(options: FirstConnectionOptions) {
    this.#options = options;
  }

  /** Returns whether the peer is given up because of this event, which then need not be told. */
  observe(event: PeerEvent): boolean {
    if (this.#hasEnded) return false;
    if (ENDS.has(event.type)) this.stop();
    // The module of the handlers is loaded; from now on the mesh is the reason for a delay.
    if (event.type === "connecting")
      this.#timer ??= setTimeout(() => this.#late(), FIRST_CONNECTION_MS);
    if (event.type !== "disconnected") return false;
    const { reason, failure } = event;
    this.#last = { reason, failure };
    const isOver = this.#isLate || (failure !== undefined && isLasting(failure));
    if (isOver) this.#giveUp();
    return isOver;
  }

  stop(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  #late(): void {
    this.#isLate = true;
    // A mesh that has proved its key decides on the admission.
    if (this.#options.state() !== "joining") this.#giveUp();
  }

  #giveUp(): void {
    this.stop();
    this.#options.giveUp(new Unreachable(this.#message(), this.#hint()));
  }

  #message(): string {
    const { url } = this.#options;
    if (this.#last === null) return `${url} did not answer within ${FIRST_CONNECTION_MS / 1_000} s`;
    const { reason, failure } = this.#last;
    return failure?.message ?? `cannot join ${url}${reason === "" ? "" : `: ${reason}`}`;
  }

  #hint(): string {
    const code = this.#last?.failure?.code;
    if (code !== undefined && LASTING.has(code)) return "check the URL";
    const running = "check that the mesh is running";
    return this.#options.hasRetry === false
      ? running
      : `${running}, or pass --retry to keep trying`;
  }
}
