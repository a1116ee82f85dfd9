import type { Millis } from "../src/base/clock.ts";

/** An alarm this late will not come by itself any more, and is set again. */
const OVERDUE = 60_000;
/** `setAlarm` at or before now, inside `alarm()`, is lost. */
const SOONEST = 50;

/** The one alarm of an object: set only when it must ring earlier, since every `setAlarm` is a row written. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  #at: Millis | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Reads what an earlier life of the object had set; call it in the constructor, under `blockConcurrencyWhile`. */
  async load(): Promise<void> {
    this.#at = await this.#storage.getAlarm();
  }

  /** Makes it ring by `due` at the latest. It may ring earlier than anything needs; that does no harm. */
  ringBy(due: Millis | null, now: Millis): void {
    if (due === null) return;
    const at = Math.max(due, now + SOONEST);
    const set = this.#at;
    if (set !== null && set <= at && now - set < OVERDUE) return;
    this.#at = at;
    // Not awaited: the write joins the transaction that made it needed.
    void this.#storage.setAlarm(at);
  }

  /** The alarm is ringing, so none is set. */
  rang(): void {
    this.#at = null;
  }
}
