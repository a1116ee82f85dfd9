import {
  FRAME_QUEUE_BYTES_MAX,
  FRAME_QUEUE_MAX,
  STEPPED_BYTES_MAX,
  STEPPED_MAX,
} from "../src/protocol/constants.ts";
import type { SessionEvent } from "../src/session/effects.ts";

/** An event that waits for its step. */
export interface QueuedEvent {
  readonly event: SessionEvent;
  /** The size of its frame; 0 for other events. */
  readonly bytes: number;
  /** Settles once the event was stepped and the coordinator has answered its commands. */
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The events of one socket in the order of their arrival, and how much of them is under way. Bounded, because a WebSocket has
 * no backpressure here: a peer that sends faster than the coordinator answers notices that its pings are answered late, and
 * one that goes on is disconnected.
 */
export class EventQueue {
  #waiting: QueuedEvent[] = [];
  #bytesWaiting = 0;
  /** Events that were stepped and whose commands are not answered, and the bytes of their frames. */
  #stepped = 0;
  #bytesStepped = 0;
  readonly #commands = new Set<Promise<void>>();

  /** Whether a frame of this size exceeds what may be under way. */
  isFullFor(bytes: number): boolean {
    const [events, underWay] = [
      this.#waiting.length + this.#stepped,
      this.#bytesWaiting + this.#bytesStepped,
    ];
    return events >= FRAME_QUEUE_MAX || underWay + bytes > FRAME_QUEUE_BYTES_MAX;
  }

  /** Whether the next event must wait until the coordinator has answered more of the commands. */
  get isAwaitingAnswers(): boolean {
    return this.#stepped >= STEPPED_MAX || this.#bytesStepped >= STEPPED_BYTES_MAX;
  }

  /** The commands of this socket that the coordinator has not answered. */
  get commands(): readonly Promise<void>[] {
    return [...this.#commands];
  }

  /** A command was sent; it is answered when the promise settles. */
  async track(command: Promise<void>): Promise<void> {
    this.#commands.add(command);
    try {
      await command;
    } finally {
      this.#commands.delete(command);
    }
  }

  add(event: SessionEvent, bytes: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ event, bytes, done });
    this.#bytesWaiting += bytes;
    return done.promise;
  }

  /** Takes the next event, which is stepped now; undefined when none waits. */
  take(): QueuedEvent | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    this.#bytesWaiting -= next.bytes;
    this.#stepped++;
    this.#bytesStepped += next.bytes;
    return next;
  }

  /** The event is done when this settles, and fails when this fails. */
  async settle({ bytes, done }: QueuedEvent, work: Promise<void>): Promise<void> {
    try {
      await work;
      done.resolve();
    } catch (thrown) {
      done.reject(thrown);
    }
    this.#stepped--;
    this.#bytesStepped -= bytes;
  }
}
