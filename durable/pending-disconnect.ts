import { HANDSHAKE_TIMEOUT } from "../src/protocol/constants.ts";
import type { Millis } from "../src/base/clock.ts";
import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { SessionSockets } from "./session-sockets.ts";

const STORAGE_KEY = "owed_farewell";

/** How long after a `gone` that failed it is repeated. */
const REPEAT_INTERVAL = 5_000;

/** The peer whose session the coordinator must learn the end of. */
export interface PendingPeer {
  readonly peerId: string;
  /** Null until the coordinator has answered the admission: then the object's ID names the session. */
  readonly epoch: number | null;
}

/**
 * Makes sure that the coordinator learns that this object's session ended. The record is written before the coordinator is
 * asked to admit the peer, and removed with all other storage once the coordinator has confirmed the end: whatever happens to
 * the object in between, its alarm finds the record and sends `gone`.
 */
export class PendingDisconnect {
  readonly #ctx: DurableObjectState;
  readonly #alarm: AlarmClock;
  readonly #sockets: SessionSockets;

  constructor(ctx: DurableObjectState, alarm: AlarmClock, sockets: SessionSockets) {
    this.#ctx = ctx;
    this.#alarm = alarm;
    this.#sockets = sockets;
  }

  /** Records a command that is about to be sent. Returns whether the record did not exist before. */
  beforeCommand(command: SessionCommand, now: Millis): boolean {
    if (command.name !== "admit") return false;
    const isNew = this.#pending() === null;
    if (isNew) this.#set(command.input.peerId, null);
    this.#alarm.ringBy(now + HANDSHAKE_TIMEOUT, now);
    return isNew;
  }

  /** Records the answer to a command; `isNew`: what `beforeCommand` returned for it. */
  async afterAnswer(answer: SessionAnswer, isNew: boolean): Promise<void> {
    if (answer.name === "admit") {
      const { result, input } = answer;
      if (result.ok) this.#set(input.peerId, result.value.epoch);
      // After `unavailable` the peer may have been admitted.
      else if (isNew && result.error.code !== "unavailable") await this.#release();
    } else if (answer.name === "gone" && answer.result.ok) await this.#release();
  }

  /** The command to repeat; null while a session lives or when the coordinator knows the end of all of them. */
  overdue(): SessionCommand | null {
    const pending = this.#pending();
    if (pending === null || this.#sockets.hasLiveSession()) return null;
    const { peerId, epoch } = pending;
    const session = epoch === null ? { session: this.#ctx.id.toString() } : { epoch };
    const reason = "the connection vanished";
    return { name: "gone", input: { peerId, reason, silent: true, ...session } };
  }

  /** Sets the alarm by which an end that is not confirmed is repeated. */
  scheduleRepeat(now: Millis): void {
    if (!this.#sockets.hasLiveSession() && this.#pending() !== null)
      this.#alarm.ringBy(now + REPEAT_INTERVAL, now);
  }

  #pending(): PendingPeer | null {
    return this.#ctx.storage.kv.get<PendingPeer>(STORAGE_KEY) ?? null;
  }

  #set(peerId: string, epoch: number | null): void {
    this.#ctx.storage.kv.put<PendingPeer>(STORAGE_KEY, { peerId, epoch });
  }

  /** The coordinator knows that the session ended. The object stores nothing any more, so that the platform may remove it. */
  async #release(): Promise<void> {
    // A newer session lives: the record is about that one now.
    if (this.#sockets.hasLiveSession()) return;
    const deleted = this.#ctx.storage.deleteAll();
    // The alarm is deleted, too: an admission that begins during the `await` sets another.
    this.#alarm.rang();
    await deleted;
  }
}
