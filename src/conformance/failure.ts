import type { Millis } from "../base/clock.ts";

/** The peer did something else than the check states. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string) {
    super(`expected ${expected}; seen: ${seen}`);
    this.expected = expected;
    this.seen = seen;
  }
}

/** The check does not apply to this peer, because the peer does not use what it is about. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

/** Fails the check unless the condition holds. */
export function expect(holds: boolean, expected: string, seen: string | (() => string)): void {
  if (!holds) throw new CheckFailed(expected, typeof seen === "string" ? seen : seen());
}

/** Waits for a time that the protocol states, or in which something must not happen. */
export const pause = (ms: Millis): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
