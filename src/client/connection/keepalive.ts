import type { Random } from "../../base/clock.ts";
import { HEARTBEAT_INTERVAL } from "../../protocol/constants.ts";

/** Each pause is shorter than the interval by up to this share, drawn anew: peers that began together drift apart. */
const JITTER = 0.2;

/** Keeps a connection from being forgotten on its way, until it is stopped. */
export class Keepalive {
  readonly #random: Random;
  readonly #beat: () => void;
  #timer: ReturnType<typeof setTimeout>;

  constructor(random: Random, beat: () => void) {
    this.#random = random;
    this.#beat = beat;
    this.#timer = this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #next(): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => {
        this.#timer = this.#next();
        this.#beat();
      },
      HEARTBEAT_INTERVAL * (1 - JITTER * this.#random()),
    );
  }
}
