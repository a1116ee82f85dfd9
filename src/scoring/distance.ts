/** How far apart two points are; which one fits is the caller's question, as in Poindexter. */
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

/** The least distance that points may have which differ by this much on one axis; of unit vectors for cosine. */
export const leastDistance = (metric: Metric, difference: number): number =>
  // Of unit vectors |u - v|^2 = 2 (1 - cos); and a zero vector is 1 from them, which is never less.
  metric === "cosine" ? difference ** 2 / 2 : Math.abs(difference);

/** The same direction at length 1, of which alone cosine depends; a zero vector stays. */
export function unit(point: Point): number[] {
  const largest = Math.max(0, ...Array.from(point, Math.abs));
  if (largest === 0) return Array.from(point, () => 0);
  // Scaled first, lest the squares of what is very large or small run out of range.
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
