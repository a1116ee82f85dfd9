import { SECOND, type Millis } from "../../base/clock.ts";
import { DRAIN_TIMEOUT_MAX } from "../../protocol/drain-limits.ts";
import type { PayloadInput } from "../../protocol/messages.ts";
import { OptionsError } from "../errors.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { DRAIN_TIMEOUT_DEFAULT } from "../timings.ts";
import type { PeerEventListener } from "./peer-events.ts";
import { DRAIN_PEER_OPTIONS, type DrainPeerOptions } from "./peer-handle.ts";

export interface PeerDrainPorts {
  readonly now: () => Millis;
  /** Tells the mesh, if there is a session. */
  readonly announce: (drain: PayloadInput<"drain">) => void;
  /** Hands back what is not started; resolves when the rest has ended and its results were received. */
  readonly settle: () => Promise<void>;
  readonly close: (reason: string) => Promise<void>;
  readonly emit: PeerEventListener;
}

interface Drain {
  readonly by: "peer" | "mesh";
  readonly reason: string;
  readonly timeoutMs: Millis;
}

/** The drain of a peer: it takes nothing new, finishes what runs until a time limit, then it disconnects. */
export class PeerDrain {
  readonly #ports: PeerDrainPorts;
  readonly #timeIsOver = Promise.withResolvers<void>();
  #drain: Drain | null = null;
  #until: Millis = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | null = null;

  constructor(ports: PeerDrainPorts) {
    this.#ports = ports;
  }

  get isUnderWay(): boolean {
    return this.#drain !== null;
  }

  /** Begins the drain. While one is under way, a call can only make its limit earlier. Resolves once the socket is closed. */
  begin(drain: Drain): Promise<void> {
    this.#limit(drain.timeoutMs);
    if (this.#closed === null) {
      this.#drain = drain;
      this.#ports.emit({ type: "draining", ...drain });
      this.#announce();
      this.#closed = this.#finish(drain.reason);
    }
    return this.#closed;
  }

  /** The mesh forgets a peer's own drain with its session: says it again in the new one. */
  welcomed(): void {
    this.#announce();
  }

  /** The peer has closed. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timeIsOver.resolve();
  }

  #announce(): void {
    if (this.#drain?.by !== "peer") return;
    const left = Math.max(0, this.#until - this.#ports.now());
    this.#ports.announce({ reason: this.#drain.reason, timeout_seconds: left / SECOND });
  }

  #limit(timeoutMs: Millis): void {
    const until = this.#ports.now() + timeoutMs;
    if (until >= this.#until) return;
    this.#until = until;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timeIsOver.resolve(), timeoutMs);
  }

  async #finish(reason: string): Promise<void> {
    await Promise.race([this.#ports.settle(), this.#timeIsOver.promise]);
    await this.#ports.close(reason);
  }
}

/** The drain that a peer's user asks for. Throws an `OptionsError` if an option does not exist or is not valid. */
export function drainOf(options: DrainPeerOptions): Drain {
  refuseUnknownOptions("peer.drain", options, DRAIN_PEER_OPTIONS);
  const { timeoutSeconds, reason = "the peer leaves" } = options;
  return { by: "peer", reason, timeoutMs: drainTimeout(timeoutSeconds) };
}

/** How long a drain may take, in milliseconds. Throws an `OptionsError` if the option is not valid. */
function drainTimeout(seconds: number = DRAIN_TIMEOUT_DEFAULT / SECOND): Millis {
  if (seconds >= 0 && seconds * SECOND <= DRAIN_TIMEOUT_MAX) return seconds * SECOND;
  const longest = DRAIN_TIMEOUT_MAX / SECOND;
  throw new OptionsError(`timeoutSeconds: must be between 0 and ${longest}, not ${seconds}`);
}
