import type { Millis } from "../src/base/clock.ts";

/** An alarm that is late by this many milliseconds is set again: the platform may have lost it. */
const OVERDUE_MS = 60_000;
/** `setAlarm` for now or earlier is lost inside `alarm()`: the earliest alarm is this many milliseconds ahead. */
const EARLIEST_MS = 50;

/** The alarm of an object. Set only when it must ring earlier, because every `setAlarm` is a row write. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  #at: Millis | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Reads the alarm that the object set before it was last evicted. Call it in the constructor, under `blockConcurrencyWhile`. */
  async load(): Promise<void> {
    this.#at = await this.#storage.getAlarm();
  }

  /** Makes the alarm ring at `due` or earlier. An alarm that rings before anything is due does no harm. */
  ringBy(due: Millis | null, now: Millis): void {
    if (due === null) return;
    const at = Math.max(due, now + EARLIEST_MS);
    const set = this.#at;
    if (set !== null && set <= at && now - set < OVERDUE_MS) return;
    this.#at = at;
    // Not awaited: the write is coalesced with the other writes of this turn.
    void this.#storage.setAlarm(at);
  }

  /** The alarm has rung or was deleted: none is set. */
  rang(): void {
    this.#at = null;
  }
}
