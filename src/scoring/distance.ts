/** Distance metrics, as in Poindexter. The caller chooses the one that fits. */
export const METRICS = ["euclidean", "manhattan", "chebyshev", "cosine"] as const;
export type Metric = (typeof METRICS)[number];

export type Point = ArrayLike<number>;

/**
 * The distance of two points of equal dimension. Cosine is 1 - cos of the angle between them, 0 to 2: 0 of two zero
 * vectors, 1 of one and another.
 */
export function distance(metric: Metric, a: Point, b: Point): number {
  switch (metric) {
    case "euclidean":
      return Math.sqrt(fold(a, b, (sum, difference) => sum + difference ** 2));
    case "manhattan":
      return fold(a, b, (sum, difference) => sum + difference);
    case "chebyshev":
      return fold(a, b, Math.max);
    case "cosine":
      return cosine(a, b);
    default:
      return metric satisfies never;
  }
}

/** The least distance between points that differ by this much on one axis; for cosine, between unit vectors. */
export const leastDistance = (metric: Metric, difference: number): number =>
  // For unit vectors |u - v|^2 = 2 (1 - cos). A zero vector has distance 1 from them, which is never less.
  metric === "cosine" ? difference ** 2 / 2 : Math.abs(difference);

/** The unit vector of the same direction, on which alone cosine depends; a zero vector stays. */
export function unit(point: Point): number[] {
  const largest = Math.max(0, ...Array.from(point, Math.abs));
  if (largest === 0) return Array.from(point, () => 0);
  // Scaled first, so that the squares of very large or small values stay in range.
  const scaled = Array.from(point, (coordinate) => coordinate / largest);
  const length = Math.hypot(...scaled);
  return scaled.map((coordinate) => coordinate / length);
}

function cosine(a: Point, b: Point): number {
  const [u, v] = [unit(a), unit(b)];
  const dot = u.reduce((sum, coordinate, axis) => sum + coordinate * (v[axis] as number), 0);
  if (dot === 0 && u.every((coordinate) => coordinate === 0))
    return v.every((coordinate) => coordinate === 0) ? 0 : 1;
  return Math.min(2, Math.max(0, 1 - dot));
}

function fold(a: Point, b: Point, add: (sum: number, difference: number) => number): number {
  let sum = 0;
  for (let axis = 0; axis < a.length; axis++)
    sum = add(sum, Math.abs((a[axis] as number) - (b[axis] as number)));
  return sum;
}
