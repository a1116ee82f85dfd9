import { HOUR, MINUTE, type Millis } from "../base/clock.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { setSetting } from "./setting-row.ts";
import { json, number, type Sql } from "./sql.ts";

export interface EventLimits {
  /** Rows that are kept: one for each commit with events, more for a commit with many. */
  readonly rows: number;
  /** Bytes of all rows together. */
  readonly bytes: number;
}

export const EVENT_LIMITS: EventLimits = { rows: 4_096, bytes: 10_000_000 };

/** Events of one row. A commit with more has several rows. */
const ROW_EVENTS = 100;
/** A row counts as so many bytes beside its events. */
const ROW_BYTES = 64;
/** The log is written while somebody has followed it within this time, or follows it now. */
const FOLLOWED_FOR: Millis = HOUR;
/** The time of the last follower is stored this often. */
const FOLLOWED_EVERY: Millis = 10 * MINUTE;
/** Numbers for each millisecond: events are far fewer, so a number by the clock is above every earlier one. */
export const NUMBERS_PER_MS = 1_000;

const ENCODER = new TextEncoder();

/** An event with its number and the time of its commit. */
export interface LoggedEvent {
  readonly id: number;
  readonly at: Millis;
  readonly event: MeshEvent;
}

/** A page of the log. */
export interface EventPage {
  /** Whether the log lacks events after the given number, or never had that number. */
  readonly isGap: boolean;
  readonly events: readonly LoggedEvent[];
}

interface Row {
  readonly slot: number;
  /** The number of the last event before this row; the number of its last one. */
  readonly before: number;
  readonly last: number;
  readonly bytes: number;
}

/**
 * The newest events, a row for each commit, while somebody follows. A new row overwrites the oldest one when the log is full, so that a commit
 * writes one row. Numbers only grow: they follow the clock, also when the database goes back to an earlier state.
 */
export class EventLog {
  readonly #sql: Sql;
  readonly #recorder: EventRecorder;
  readonly #limits: EventLimits;
  readonly #onDropped: (rows: number) => void;
  /** The rows without their events, the oldest first; null when they must be read from the database. */
  #rows: Row[] | null = null;
  #bytes = 0;
  /** Above every slot that was used. */
  #nextSlot = 1;
  /** When somebody followed the log last; null if events have not been written since, undefined when it must be read. */
  #followedAt: Millis | null | undefined = undefined;
  /** The number with which the log began, above all earlier ones; null if it never began, undefined when it must be read. */
  #base: number | null | undefined = undefined;
  #hasFollowers: () => boolean = () => false;
  /** Open transactions, and whether they have written to the log. */
  #depth = 0;
  #isWritten = false;

  /** @param onDropped called with the number of the oldest rows that new ones have overwritten */
  constructor(
    sql: Sql,
    recorder: EventRecorder,
    limits: EventLimits,
    onDropped: (rows: number) => void = () => {},
  ) {
    this.#sql = sql;
    this.#recorder = recorder;
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  /** The log is written as long as this says that somebody follows it. */
  keepWhile(hasFollowers: () => boolean): void {
    this.#hasFollowers = hasFollowers;
  }

  /** Keeps the log written for another hour. A log that lacks events, because nobody followed it, begins anew. */
  follow(now: Millis): void {
    const followedAt = this.#lastFollowed();
    if (followedAt !== null && now - followedAt < FOLLOWED_EVERY) return;
    this.#isWritten = true;
    if (followedAt === null) this.#beginAnew(now);
    setSetting(this.#sql, "events_followed_at", String(now));
    this.#followedAt = now;
  }

  /** Whether what is recorded may be written. */
  get isOn(): boolean {
    return this.#lastFollowed() !== null;
  }

  /** Writes what was recorded since the last time, if somebody follows. It is the last write of its transaction. */
  write(now: Millis): void {
    const events = this.#recorder.take();
    if (events.length === 0 || this.#lastFollowed() === null) return;
    if (this.#hasFollowers()) this.follow(now);
    else if (!this.#isFollowed(now)) return this.#stop();
    for (let from = 0; from < events.length; from += ROW_EVENTS)
      this.#add(events.slice(from, from + ROW_EVENTS), now);
  }

  /** The number after which the next event comes: that of the newest one, or that with which the log began. Null if nobody has followed. */
  newest(): number | null {
    return this.#known().at(-1)?.last ?? this.#begunAt();
  }

  /** The number from which on nothing is missing; null if nobody has followed. */
  oldest(): number | null {
    return this.#known()[0]?.before ?? this.#begunAt();
  }

  /**
   * The events after a number, the oldest first.
   *
   * @param after null for the oldest that is kept
   * @param limit number of events
   */
  read(after: number | null, limit: number): EventPage {
    const rows = this.#known();
    const [oldest, newest] = [rows[0], rows.at(-1)];
    if (oldest === undefined || newest === undefined)
      return { isGap: after !== null && after !== this.#begunAt(), events: [] };
    const isGap = after !== null && (after < oldest.before || after > newest.last);
    const from = after === null || isGap ? oldest.before : after;
    const begin = rows.findIndex(({ last }) => last > from);
    if (begin < 0) return { isGap, events: [] };
    const events: LoggedEvent[] = [];
    for (const { slot } of rows.slice(begin, begin + limit)) {
      if (events.length >= limit) break;
      events.push(...this.#eventsOf(slot).filter(({ id }) => id > from));
    }
    return { isGap, events: events.slice(0, limit) };
  }

  begin(): void {
    this.#depth++;
  }

  commit(): void {
    if (--this.#depth === 0) this.#isWritten = false;
  }

  rollback(): void {
    this.#depth--;
    if (!this.#isWritten) return;
    this.#rows = null;
    this.#followedAt = undefined;
    this.#base = undefined;
    if (this.#depth === 0) this.#isWritten = false;
  }

  /** Only a new follower begins the log again, even if the clock goes back: the log lacks events from now on. */
  #stop(): void {
    this.#isWritten = true;
    this.#sql.exec(`DELETE FROM settings WHERE key = 'events_followed_at'`);
    this.#followedAt = null;
  }

  /** What the log holds is not what comes before the next event: it is emptied, and its numbers go on above all earlier ones. */
  #beginAnew(now: Millis): void {
    const base = Math.max(now * NUMBERS_PER_MS, (this.newest() ?? 0) + 1);
    this.#sql.exec(`DELETE FROM event_log`);
    setSetting(this.#sql, "events_begun_at", String(base));
    this.#rows = null;
    this.#base = base;
  }

  #begunAt(): number | null {
    if (this.#base === undefined) this.#base = this.#setting("events_begun_at");
    return this.#base;
  }

  #isFollowed(now: Millis): boolean {
    const followedAt = this.#lastFollowed();
    return followedAt !== null && now - followedAt < FOLLOWED_FOR;
  }

  #lastFollowed(): Millis | null {
    if (this.#followedAt !== undefined) return this.#followedAt;
    return (this.#followedAt = this.#setting("events_followed_at"));
  }

  #setting(key: string): number | null {
    const [row] = this.#sql.exec(
      `SELECT CAST(value AS INTEGER) AS value FROM settings WHERE key = ?`,
      key,
    );
    return row === undefined ? null : number(row, "value");
  }

  #add(events: readonly MeshEvent[], now: Millis): void {
    const rows = this.#known();
    const newest = this.newest();
    const first = Math.max(now * NUMBERS_PER_MS, (newest ?? 0) + 1);
    const last = first + events.length - 1;
    const before = newest ?? first - 1;
    const text = JSON.stringify(events);
    const bytes = ROW_BYTES + ENCODER.encode(text).length;
    const freed: number[] = [];
    while (
      rows.length > 0 &&
      (rows.length >= this.#limits.rows || this.#bytes + bytes > this.#limits.bytes)
    ) {
      const oldest = rows.shift() as Row;
      this.#bytes -= oldest.bytes;
      freed.push(oldest.slot);
    }
    if (freed.length > 0) this.#onDropped(freed.length);
    const [slot = this.#nextSlot++, ...unused] = freed;
    this.#isWritten = true;
    this.#sql.exec(
      `INSERT INTO event_log (slot, before, first, last, at, bytes, events) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (slot) DO UPDATE SET before = excluded.before, first = excluded.first, last = excluded.last, at = excluded.at,
         bytes = excluded.bytes, events = excluded.events`,
      slot,
      before,
      first,
      last,
      now,
      bytes,
      text,
    );
    for (const each of unused) this.#sql.exec(`DELETE FROM event_log WHERE slot = ?`, each);
    rows.push({ slot, before, last, bytes });
    this.#bytes += bytes;
  }

  #known(): Row[] {
    if (this.#rows !== null) return this.#rows;
    this.#rows = this.#sql
      .exec(`SELECT slot, before, last, bytes FROM event_log ORDER BY last`)
      .map((row) => ({
        slot: number(row, "slot"),
        before: number(row, "before"),
        last: number(row, "last"),
        bytes: number(row, "bytes"),
      }));
    this.#nextSlot = this.#rows.reduce((next, { slot }) => Math.max(next, slot + 1), 1);
    this.#bytes = this.#rows.reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#rows;
  }

  #eventsOf(slot: number): readonly LoggedEvent[] {
    return this.#sql
      .exec(`SELECT first, at, events FROM event_log WHERE slot = ?`, slot)
      .flatMap((row) =>
        json<readonly MeshEvent[]>(row, "events").map((event, index) => ({
          id: number(row, "first") + index,
          at: number(row, "at"),
          event,
        })),
      );
  }
}
