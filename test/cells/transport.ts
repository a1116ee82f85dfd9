import type { Random } from "../../src/base/clock.ts";

/** What happens to a call between cells, or of a caller to a cell. */
export type Fault =
  /** It arrives, and its answer arrives. */
  | "none"
  /** It never arrives: its caller sees an error. */
  | "request_lost"
  /** It arrives, and its caller sees an error. */
  | "answer_lost"
  /** It arrives twice. The caller sees the first answer. */
  | "repeated";

/** What is drawn from: each fault once, among so many calls without one. */
export const faultsAmong = (without: number): readonly Fault[] => [
  ...Array.from({ length: without }, (): Fault => "none"),
  "request_lost",
  "answer_lost",
  "repeated",
];

interface Waiting {
  readonly deliver: () => void;
}

/**
 * Delivers calls. By itself each call arrives at once; while `isHeld`, calls and answers wait until `step` delivers one of them, in any
 * order.
 */
export class Transport {
  readonly #random: Random;
  readonly #waiting: Waiting[] = [];
  /** Cells that do not answer. */
  readonly down = new Set<number>();
  isHeld = false;
  /** Chooses what happens to each call. */
  faultOf: (to: number, names: readonly string[]) => Fault = () => "none";
  /** How many calls were made, by their commands. */
  readonly calls = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Calls a cell. Rejects if it is down or if the call is lost. */
  async call<T>(to: number, names: readonly string[], run: () => Promise<T>): Promise<T> {
    const name = names.join();
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    const fault = this.faultOf(to, names);
    await this.#wait();
    if (fault === "request_lost" || this.down.has(to)) throw new Error("injected: lost");
    const answer = run();
    if (fault === "repeated") void this.#repeat(to, run);
    const value = await answer;
    await this.#wait();
    if (fault === "answer_lost" || this.down.has(to)) throw new Error("injected: lost");
    return value;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Delivers one of the calls and answers that wait; false if none does. */
  step(): boolean {
    const [chosen] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
    chosen?.deliver();
    return chosen !== undefined;
  }

  async #repeat<T>(to: number, run: () => Promise<T>): Promise<void> {
    await this.#wait();
    if (!this.down.has(to)) await run().catch(() => {});
  }

  #wait(): Promise<void> {
    if (!this.isHeld) return Promise.resolve();
    return new Promise((deliver) => void this.#waiting.push({ deliver }));
  }
}

/** Returns once everything has gone on that can. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
