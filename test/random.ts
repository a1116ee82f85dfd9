import type { Random, RandomBytes } from "../src/base/clock.ts";

/** Deterministic bytes from a seed (xorshift32), for repeatable tests. Not secure. */
export function seededRandom(seed: number): RandomBytes {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995 || 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    });
}

/** Deterministic numbers in [0, 1) from a seed. */
export function seededNumbers(seed: number): Random {
  const bytes = seededRandom(seed);
  return () => bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
}
