import type { Random } from "../src/base/clock.ts";

/** Repeatable numbers in [0, 1), and quick ones, for worlds of millions (xorshift32). */
export function quickRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e37_79b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
