import type { Millis } from "../../base/clock.ts";
import { takeToken, type TokenBucket } from "../../base/token-bucket.ts";
import { MESSAGE_LIMITS, type LimitedType } from "../../protocol/message-limits.ts";
import type { PayloadInput } from "../../protocol/messages.ts";
import type { Connection } from "../connection/connection.ts";

/** What the SDK sends at the program's request, and the mesh takes at a limited rate. */
type Requested = Extract<LimitedType, "advert" | "announce" | "rtts">;
type Announced = PayloadInput<"announce">;

/**
 * Keeps what a program lets its peer say within the mesh's limits by message type: a mesh closes a session that exceeds them
 * again and again. Adverts and reports above a limit are not sent; announcements are joined and sent a moment later.
 */
export class LimitedMessages {
  readonly #active: () => Connection | null;
  /** In milliseconds; a clock that is never set. */
  readonly #now: () => Millis;
  /** The connection that the buckets belong to: a new session begins with full ones. */
  #connection: Connection | null = null;
  readonly #buckets = new Map<Requested, TokenBucket>();
  #unsent: Announced = {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(active: () => Connection | null, now: () => Millis) {
    this.#active = active;
    this.#now = now;
  }

  /** Whether the message was sent: there is a session, and the limit leaves room for it. */
  send<T extends Exclude<Requested, "announce">>(type: T, payload: PayloadInput<T>): boolean {
    const connection = this.#take(type);
    return typeof connection?.send(type, payload) === "string";
  }

  /** Announces changes, now or within a second. Later changes replace those that are not sent yet. */
  announce(changes: Announced): boolean {
    this.#begin();
    if (this.#connection === null) return false;
    this.#unsent = { ...this.#unsent, ...changes };
    this.#flush();
    return true;
  }

  /** The session has ended: the next one begins with all that there is to announce. */
  #begin(): void {
    const connection = this.#active();
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#buckets.clear();
    this.#unsent = {};
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    if (this.#timer !== undefined) return;
    const connection = this.#take("announce");
    if (connection !== null) {
      connection.send("announce", this.#unsent);
      this.#unsent = {};
    } else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#active() === this.#connection) this.#flush();
      }, MESSAGE_LIMITS.announce.per);
    }
  }

  #take(type: Requested): Connection | null {
    this.#begin();
    const rate = MESSAGE_LIMITS[type];
    const now = this.#now();
    const bucket = takeToken(this.#buckets.get(type) ?? { tokens: rate.max, at: now }, rate, now);
    if (bucket === null || this.#connection === null) return null;
    this.#buckets.set(type, bucket);
    return this.#connection;
  }
}
