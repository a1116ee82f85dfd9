import { isJsonObject, type Json } from "../../base/json.ts";
import { ANSWERS_PER_ATTEMPT, SLOTS_MAX } from "../../protocol/constants.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";

/** More offers than any peer can have open. Above it the oldest is forgotten, and its answers spend allowance. */
const ATTEMPTS_MAX = 4 * SLOTS_MAX;

/**
 * Which answers the mesh takes without spending allowance: three for each attempt that it has offered in this session, and
 * the attempt's progress until it has ended. Repeats, and what concerns attempts of an earlier session, spend allowance.
 */
export class AnswerCredit {
  /** The answers left of each attempt. */
  readonly #attempts = new Map<string, number>();

  /** The mesh offered an attempt. */
  offered(offer: Json): void {
    this.#attempts.set(attemptOf(offer), ANSWERS_PER_ATTEMPT);
    if (this.#attempts.size <= ATTEMPTS_MAX) return;
    for (const oldest of this.#attempts.keys()) return void this.#attempts.delete(oldest);
  }

  /** Whether the message spends no allowance. Counts it. */
  spend({ type, payload }: OutgoingMessage): boolean {
    const attempt = attemptOf(payload);
    const left = this.#attempts.get(attempt);
    if (left === undefined) return false;
    if (type === "task_progress") return true;
    const hasEnded = left <= 1 || ENDINGS.has(type);
    if (hasEnded) this.#attempts.delete(attempt);
    else this.#attempts.set(attempt, left - 1);
    return true;
  }
}

/** After these the mesh does not expect anything more about the attempt. */
const ENDINGS: ReadonlySet<string> = new Set(["task_result", "task_refuse", "task_release"]);

/** An offer is counted before it is read, so its payload may be any JSON. */
function attemptOf(payload: Json): string {
  const { task_id, fence } = isJsonObject(payload) ? payload : {};
  return JSON.stringify([task_id, fence]);
}
