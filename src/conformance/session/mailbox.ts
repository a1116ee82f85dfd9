import type { Millis } from "../../base/clock.ts";
import { CheckFailed } from "../failure.ts";

/** Things that arrive, and are waited for. Each is taken once. */
export class Mailbox<T> {
  readonly #waiting: T[] = [];
  #changed = Promise.withResolvers<void>();
  #ended: string | null = null;

  /** What has arrived and was not taken. */
  get waiting(): readonly T[] {
    return this.#waiting;
  }

  put(item: T): void {
    this.#waiting.push(item);
    this.#wake();
  }

  /** Nothing more arrives: what waits for it fails at once, with this as the reason. */
  end(reason: string): void {
    this.#ended ??= reason;
    this.#wake();
  }

  /**
   * Takes the first item for which `pick` returns a value, and returns that value. Fails when there is none within the time, or the
   * source has ended: `seen` describes what arrived instead.
   */
  async take<R>(
    expected: string,
    within: Millis,
    pick: (item: T) => R | null | undefined | false,
    seen: () => string,
  ): Promise<R> {
    const until = Date.now() + within;
    for (;;) {
      const found = this.#find(pick);
      if (found !== null) return found.value;
      const left = until - Date.now();
      if (this.#ended !== null || left <= 0)
        throw new CheckFailed(
          this.#ended === null ? `${expected} within ${within / 1_000} s` : expected,
          [seen(), this.#ended ?? ""].filter((text) => text !== "").join("; ") || "nothing",
        );
      await this.#change(left);
    }
  }

  #find<R>(pick: (item: T) => R | null | undefined | false): { readonly value: R } | null {
    for (const [at, item] of this.#waiting.entries()) {
      const value = pick(item);
      if (value === null || value === undefined || value === false) continue;
      this.#waiting.splice(at, 1);
      return { value };
    }
    return null;
  }

  async #change(within: Millis): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, within);
    });
    await Promise.race([this.#changed.promise, timeout]);
    clearTimeout(timer);
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
