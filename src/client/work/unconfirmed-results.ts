import type { HeldTask, PayloadInput } from "../../protocol/messages.ts";
import { UNCONFIRMED_RESULTS_MIN, UNCONFIRMED_RESULTS_PER_SLOT } from "../timings.ts";

type ResultMessage = PayloadInput<"task_result">;

/** Sends a result and returns the message's ID; null if it can't be sent. Calls `onSent` when the socket has it. */
export type SendResult = (message: ResultMessage, onSent: () => void) => string | null;

/** A result, and the kind of its task. */
export interface Report {
  readonly message: ResultMessage;
  readonly kind: string;
}

interface UnconfirmedResult {
  readonly report: Report;
  /** ID of the message that carried it last; null if there was none in this session. */
  messageId: string | null;
  /** Whether the socket has that message. */
  isSent: boolean;
  /** How often it was sent again in this session. */
  retries: number;
}

/** How many unconfirmed results a peer with this many slots keeps. */
export const resultsKept = (slots: number): number =>
  Math.max(UNCONFIRMED_RESULTS_MIN, UNCONFIRMED_RESULTS_PER_SLOT * slots);

/** The IDs of messages that carried results. */
export type SentResults = ReadonlySet<string>;

/**
 * Results that the mesh has not confirmed. They are kept until it confirms or refuses them, and are sent again in the next
 * session: a repetition is harmless, because a result is committed once.
 */
export class UnconfirmedResults {
  #results: readonly UnconfirmedResult[] = [];

  get isEmpty(): boolean {
    return this.#results.length === 0;
  }

  /**
   * Sends a result and keeps it. Returns those that are dropped for it: of an older attempt of the same task, which the mesh
   * would not commit any more, and above `max` the oldest, first of those that were sent.
   */
  send(report: Report, send: SendResult, max: number): readonly Report[] {
    const result = { report, messageId: null, isSent: false, retries: 0 };
    const before = this.#results;
    const { task_id: taskId } = report.message;
    const others = before.filter((each) => each.report.message.task_id !== taskId);
    this.#results = newest([...others, result], max);
    this.#sendOne(result, send);
    return before.filter((each) => !this.#results.includes(each)).map((each) => each.report);
  }

  /**
   * The mesh could not process the message for now. Returns the number of retries so far and a function that sends the
   * result again; null if the message carried none of these results. The result counts as unsent until then. It is repeated as long as
   * the session lasts: a full disk may take the operator an hour.
   */
  unavailable(messageId: string): { retries: number; resend: (send: SendResult) => void } | null {
    const result = this.#results.find((each) => each.messageId === messageId);
    if (result === undefined) return null;
    result.isSent = false;
    result.messageId = null;
    const resend = (send: SendResult): void => {
      if (this.#results.includes(result)) this.#sendOne(result, send);
    };
    return { retries: ++result.retries, resend };
  }

  /** The mesh refused the message. Returns the result that it carried, which is not kept any more; null if there is none. */
  refused(messageId: string): Report | null {
    const result = this.#results.find((each) => each.messageId === messageId);
    this.#results = this.#results.filter((each) => each !== result);
    return result?.report ?? null;
  }

  /** What the mesh confirms when it confirms everything that it has received until now. */
  sent(): SentResults {
    return new Set(
      this.#results.flatMap(({ messageId, isSent }) =>
        isSent && messageId !== null ? [messageId] : [],
      ),
    );
  }

  /** The mesh confirmed these. Returns those that it had not refused meanwhile; they are not kept any more. */
  confirmed(sent: SentResults): readonly Report[] {
    const isConfirmed = ({ messageId }: UnconfirmedResult): boolean =>
      messageId !== null && sent.has(messageId);
    const confirmed = this.#results.filter(isConfirmed);
    this.#results = this.#results.filter((each) => !isConfirmed(each));
    return confirmed.map(({ report }) => report);
  }

  /** Nothing that was sent in the session has been confirmed by now: all counts as unsent. */
  sessionEnded(): void {
    this.#results = this.#results.map(({ report }) => ({
      report,
      messageId: null,
      isSent: false,
      retries: 0,
    }));
  }

  /** Sends each unsent result. */
  resend(send: SendResult): void {
    for (const result of this.#results) if (!result.isSent) this.#sendOne(result, send);
  }

  /** The attempts whose results are unsent. */
  unsentTasks(): readonly HeldTask[] {
    return this.#results
      .filter(({ isSent }) => !isSent)
      .map(
        ({
          report: {
            message: { task_id, fence },
          },
        }) => ({ task_id, fence }),
      );
  }

  /** Drops all results, and returns them. */
  clear(): readonly Report[] {
    const results = this.#results.map(({ report }) => report);
    this.#results = [];
    return results;
  }

  #sendOne(result: UnconfirmedResult, send: SendResult): void {
    result.messageId = send(result.report.message, () => {
      result.isSent = true;
    });
  }
}

/** At most `max` of the results, in their order, without the oldest: sent ones are left out before unsent ones. */
function newest(results: readonly UnconfirmedResult[], max: number): readonly UnconfirmedResult[] {
  const excess = results.length - max;
  if (excess <= 0) return results;
  const oldestSent = results.filter(({ isSent }) => isSent).slice(0, excess);
  const dropped = new Set(oldestSent);
  return results.filter((result) => !dropped.has(result)).slice(-max);
}
