import type { MeshEvent } from "../protocol/events.ts";

/** The events of the open transaction, in memory: those of a savepoint that is undone vanish with its writes. */
export class EventRecorder {
  #events: MeshEvent[] = [];
  /** How many events there were when each open transaction began, the innermost transaction last. */
  readonly #before: number[] = [];

  record(event: MeshEvent): void {
    this.#events.push(event);
  }

  /** Returns the events so far and forgets them. */
  take(): readonly MeshEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  begin(): void {
    this.#before.push(this.#events.length);
  }

  commit(): void {
    this.#before.pop();
  }

  rollback(): void {
    this.#events.splice(this.#before.pop() ?? 0);
  }
}
