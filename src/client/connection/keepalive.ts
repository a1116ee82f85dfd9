import type { Random } from "../../base/clock.ts";
import { HEARTBEAT_INTERVAL } from "../../protocol/constants.ts";

/** Each delay is shortened by a random share of up to this, so that peers that started together spread out. */
const JITTER = 0.2;

/** Calls `send` every `HEARTBEAT_INTERVAL` or a little sooner, so that proxies and NATs keep the connection open. */
export class Keepalive {
  readonly #random: Random;
  readonly #send: () => void;
  #timer: ReturnType<typeof setTimeout>;

  constructor(random: Random, send: () => void) {
    this.#random = random;
    this.#send = send;
    this.#timer = this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => {
        this.#timer = this.#schedule();
        this.#send();
      },
      HEARTBEAT_INTERVAL * (1 - JITTER * this.#random()),
    );
  }
}
