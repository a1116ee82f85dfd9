import type { Random } from "../src/base/clock.ts";

/** Seeded random numbers in [0, 1) by xorshift32, which is fast enough for millions of peers. */
export function quickRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e37_79b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
