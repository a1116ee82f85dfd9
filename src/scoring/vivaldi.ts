import type { Random } from "../base/clock.ts";

/**
 * Network coordinates: Vivaldi (Dabek, Cox, Kaashoek, Morris, SIGCOMM 2004) with height, gravity (Ledlie, Gardner,
 * Seltzer, NSDI 2007) and an adjustment term (Lee et al., IEEE/ACM ToN 18(1), 2010), by the rules and constants of
 * HashiCorp serf's package `coordinate`. As there, the values of a coordinate are in seconds.
 */
export interface Coordinate {
  readonly vector: readonly number[];
  /** Seconds of the node's own access link, added to every round trip. */
  readonly height: number;
  /** Seconds that this node's ways are longer than the coordinates say, on the average and halved. */
  readonly adjustment: number;
  /** How wrong its estimates are expected to be, as a share of them: 0 to 1.5. */
  readonly error: number;
  /** Seconds by which its latest samples were longer than the coordinates said, the newest last. */
  readonly residuals: readonly number[];
}

export const DIMENSIONS = 8;
export const ERROR_MAX = 1.5;
/** The most that one sample moves the error, and the place. */
const ERROR_GAIN = 0.25;
const PLACE_GAIN = 0.25;
export const RESIDUALS = 20;
const HEIGHT_MIN = 10e-6;
/** Seconds from the origin at which gravity pulls by one second a sample; near by it hardly does. */
const GRAVITY_RHO = 150;
/** Seconds below which two nodes stand on the same spot, and a time counts as this. */
const TINY = 1e-6;
/** Number of samples of one pair whose median is used, against outliers. */
const MEDIAN_OF = 3;

/** A node without measurements. */
export const ORIGIN: Coordinate = {
  vector: Array<number>(DIMENSIONS).fill(0),
  height: HEIGHT_MIN,
  adjustment: 0,
  error: ERROR_MAX,
  residuals: [],
};

/** The newest samples of a pair, after one more. */
export const withSample = (samples: readonly number[], rttMs: number): readonly number[] =>
  [...samples, rttMs].slice(-MEDIAN_OF);

/** The median; of two samples the larger one. */
export const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? Number.NaN;

/**
 * Where a node stands after it measured the way to another: nearer or farther by a share of the difference, the more
 * the surer the other is of its place. Only the node that measured moves, so who lies about a way misplaces itself.
 */
export function observed(
  own: Coordinate,
  other: Coordinate,
  rttMs: number,
  random: Random,
): Coordinate {
  const rtt = Math.max(TINY, rttMs / 1_000);
  const expected = seconds(own, other);
  const weight = own.error / Math.max(TINY, own.error + other.error);
  const wrongness = Math.abs(expected - rtt) / rtt;
  const gain = ERROR_GAIN * weight;
  const error = Math.min(ERROR_MAX, gain * wrongness + (1 - gain) * own.error);
  const moved = pushed(own, other, PLACE_GAIN * weight * (rtt - expected), random);
  const residuals = [...own.residuals, rtt - raw(moved, other)].slice(-RESIDUALS);
  const adjustment = residuals.reduce((sum, residual) => sum + residual, 0) / (2 * RESIDUALS);
  const next = withGravity({ ...moved, error, residuals, adjustment }, random);
  // A coordinate that left the range of numbers starts again.
  return isValid(next) ? next : ORIGIN;
}

export interface PairEstimate {
  readonly rttMs: number;
  /** The expected error in milliseconds: the quadratic mean of the errors of the two nodes' estimates. */
  readonly errorMs: number;
}

/** Estimates the round trip between two nodes from their coordinates, measured or not. */
export function estimateRtt(a: Coordinate, b: Coordinate): PairEstimate {
  const rttMs = 1_000 * seconds(a, b);
  return { rttMs, errorMs: rttMs * Math.sqrt((a.error ** 2 + b.error ** 2) / 2) };
}

/** The round trip between two nodes without their adjustments. */
const raw = (a: Coordinate, b: Coordinate): number =>
  Math.hypot(...difference(a, b)) + a.height + b.height;

/** The same with the adjustments, where the result is positive. */
function seconds(a: Coordinate, b: Coordinate): number {
  const way = raw(a, b);
  const adjusted = way + a.adjustment + b.adjustment;
  return adjusted > 0 ? adjusted : way;
}

/** Moves a node by a force in seconds: away from the other node where positive, toward it where negative. */
function pushed(own: Coordinate, other: Coordinate, force: number, random: Random): Coordinate {
  const apart = difference(own, other);
  const way = Math.hypot(...apart);
  if (way <= TINY) {
    const direction = anyDirection(random);
    return { ...own, vector: own.vector.map((x, axis) => x + force * (direction[axis] as number)) };
  }
  const height = own.height + (force * (own.height + other.height)) / way;
  return {
    ...own,
    vector: own.vector.map((x, axis) => x + (force * (apart[axis] as number)) / way),
    height: Math.max(HEIGHT_MIN, height),
  };
}

/** Gravity: a pull to the origin, so that the nodes do not drift away together. */
const withGravity = (own: Coordinate, random: Random): Coordinate =>
  pushed(own, ORIGIN, -((seconds(own, ORIGIN) / GRAVITY_RHO) ** 2), random);

const difference = (a: Coordinate, b: Coordinate): readonly number[] =>
  a.vector.map((x, axis) => x - (b.vector[axis] as number));

function anyDirection(random: Random): readonly number[] {
  const drawn = Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const length = Math.hypot(...drawn);
  return length > TINY ? drawn.map((x) => x / length) : drawn.map((_, axis) => Number(axis === 0));
}

const isValid = ({ vector, height, adjustment, error }: Coordinate): boolean =>
  [...vector, height, adjustment, error].every(Number.isFinite);
