/** Keyed random numbers: a key always gives the same number, so that every policy runs in the same world. */

/** The number in [0, 1) for a seed and up to three keys (the 32-bit mixing of MurmurHash3). */
export function keyedRandom(seed: number, stream: number, a = 0, b = 0): number {
  let hash = mix(mix(mix(mix(0x9747b28c, seed), stream), a), b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function mix(hash: number, key: number): number {
  let part = Math.imul(key, 0xcc9e2d51);
  part = Math.imul((part << 15) | (part >>> 17), 0x1b873593);
  const joined = hash ^ part;
  return (Math.imul((joined << 13) | (joined >>> 19), 5) + 0xe6546b64) | 0;
}

/** A sequence of numbers in [0, 1) for one key, for samplers whose number of draws is not known in advance. */
export function randomSequence(seed: number, stream: number, a: number): () => number {
  let at = 0;
  return () => keyedRandom(seed, stream, a, at++);
}

/** Standard normal (Box and Muller). */
const normal = (one: number, other: number): number =>
  Math.sqrt(-2 * Math.log(1 - one)) * Math.cos(2 * Math.PI * other);

/** Log-normal with a mean; `sigma` is the standard deviation of its logarithm. */
export const logNormal = (mean: number, sigma: number, one: number, other: number): number =>
  mean * Math.exp(sigma * normal(one, other) - sigma ** 2 / 2);

export const exponential = (mean: number, one: number): number => -mean * Math.log(1 - one);

export const weibull = (shape: number, scale: number, one: number): number =>
  scale * (-Math.log(1 - one)) ** (1 / shape);

/** Gamma with a shape and scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000). */
export function gamma(shape: number, next: () => number): number {
  if (shape < 1) return gamma(shape + 1, next) * next() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(next(), next());
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - next()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

export function beta(a: number, b: number, next: () => number): number {
  const x = gamma(a, next);
  return x / (x + gamma(b, next));
}
