import { SECOND, type Millis } from "../../base/clock.ts";
import { withDeadline } from "../../base/deadline.ts";
import {
  CELL_DELIVERIES,
  COPY_DELIVERIES,
  OutboxRunner,
  OWN_DELIVERIES,
  type OutboxPorts,
} from "./runner.ts";

/**
 * How long an alarm waits for calls of other cells: as long as it waits, nothing else that is due happens. It rings again while an entry is under
 * way, so not much shorter.
 */
const CELLS_WAITED_FOR: Millis = SECOND / 4;

/** The runners of a coordinator. What is slow delays only its own kind of entries. */
export class Outboxes {
  readonly #own: OutboxRunner;
  readonly #cells: OutboxRunner;
  readonly #copies: OutboxRunner;

  constructor(ports: OutboxPorts) {
    this.#own = new OutboxRunner(ports, OWN_DELIVERIES);
    this.#cells = new OutboxRunner(ports, CELL_DELIVERIES);
    this.#copies = new OutboxRunner(ports, COPY_DELIVERIES);
  }

  /** Settles when no entry is due any more. Never throws. */
  async run(): Promise<void> {
    await Promise.all([this.#own.run(), this.#cells.run(), this.#copies.run()]);
  }

  /** Settles once it is enough for the caller, or when no call of a cell is due any more. Never throws. */
  send(isEnough: () => boolean): Promise<void> {
    return this.#cells.runUntil(isEnough);
  }

  /** The same as `run` for an alarm, which does not wait for what may hang. */
  async runDue(): Promise<void> {
    void this.#copies.run();
    const cells = withDeadline(this.#cells.run(), CELLS_WAITED_FOR).catch(() => {});
    await Promise.all([this.#own.run(), cells]);
  }
}
