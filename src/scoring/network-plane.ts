import { projected } from "./projection.ts";
import { observed, ORIGIN, type Coordinate } from "./vivaldi.ts";

interface Located {
  readonly coordinate: Coordinate;
  /** The measured round trip to the center; null while it is unknown. */
  readonly rttMs: number | null;
}

/** Measured peers by which the center is found, and how often each of them is used. */
const SAMPLES_MAX = 100;
const ROUNDS = 5;
/** Two nodes at the same spot are pushed apart in a fixed direction, so that the same peers give the same plane. */
const fixedDirection = (): number => 0.75;

/**
 * The coordinates in a plane, in milliseconds, seen from a center that has measured round trips and no coordinate of its own: it gets one as any node does, by
 * Vivaldi.
 */
export function networkPlane(nodes: readonly Located[]): readonly (readonly [number, number])[] {
  const { vector: center } = centerOf(nodes);
  const vectors = nodes.map(({ coordinate }) =>
    coordinate.vector.map((x, axis) => 1_000 * (x - (center[axis] as number))),
  );
  return projected(vectors);
}

function centerOf(nodes: readonly Located[]): Coordinate {
  const step = Math.max(1, Math.ceil(nodes.length / SAMPLES_MAX));
  const used = nodes.filter((_, at) => at % step === 0);
  let center = ORIGIN;
  for (let round = 0; round < ROUNDS; round++)
    for (const { coordinate, rttMs } of used)
      if (rttMs !== null) center = observed(center, coordinate, rttMs, fixedDirection);
  return center;
}
