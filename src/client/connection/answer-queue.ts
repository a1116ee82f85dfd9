import type { MessageType } from "../../protocol/messages.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";

/** The messages that answer an offer of the mesh. They spend no message allowance (RL2). */
const ANSWERS: ReadonlySet<MessageType> = new Set([
  "task_accept",
  "task_refuse",
  "task_release",
  "task_progress",
  "task_result",
]);

export const isAnswer = ({ type }: Pick<OutgoingMessage, "type">): boolean => ANSWERS.has(type);

/**
 * Answers that wait until the mesh has processed earlier ones. Accepts and refusals go first, because an offer lapses
 * after a few seconds; then progress, because it renews leases; then results, in their order.
 *
 * Of one task only the newest progress waits: the mesh takes few of them a second, and only the newest says anything. An
 * accept replaces the progress of its task, because it renews the lease as well and the progress was of an earlier state.
 */
export class AnswerQueue {
  readonly #decisions: OutgoingMessage[] = [];
  readonly #progress = new Map<string, OutgoingMessage>();
  readonly #results: OutgoingMessage[] = [];

  get size(): number {
    return this.#decisions.length + this.#progress.size + this.#results.length;
  }

  push(message: OutgoingMessage): void {
    const taskId = taskOf(message);
    if (message.type === "task_result") return void this.#results.push(message);
    this.#progress.delete(taskId);
    if (message.type === "task_progress") this.#progress.set(taskId, message);
    else this.#decisions.push(message);
  }

  shift(): OutgoingMessage | undefined {
    return this.#decisions.shift() ?? this.#shiftProgress() ?? this.#results.shift();
  }

  clear(): void {
    this.#decisions.length = 0;
    this.#progress.clear();
    this.#results.length = 0;
  }

  #shiftProgress(): OutgoingMessage | undefined {
    for (const [taskId, message] of this.#progress) {
      this.#progress.delete(taskId);
      return message;
    }
    return undefined;
  }
}

const taskOf = ({ payload }: OutgoingMessage): string =>
  String((payload as { readonly task_id?: unknown }).task_id);
