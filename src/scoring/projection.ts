/**
 * Vectors in a plane: the first two principal components (K. Pearson, 1901), about the origin and not about the mean, so that the origin keeps its
 * place. They are found by power iteration, and so the same vectors always give the same points.
 */
export type Vector = readonly number[];

const ROUNDS = 64;

/** The points of the vectors, which have the same number of dimensions. */
export function projected(
  vectors: readonly Vector[],
): readonly (readonly [x: number, y: number])[] {
  const dimensions = vectors[0]?.length ?? 0;
  const spread = moments(vectors, dimensions);
  const first = principal(spread);
  const second = principal(without(spread, first));
  return vectors.map((vector) => [dot(vector, first), dot(vector, second)]);
}

/** The matrix of second moments. By index: there may be 10,000 vectors. */
function moments(vectors: readonly Vector[], dimensions: number): readonly Vector[] {
  const rows = Array.from({ length: dimensions }, () => Array<number>(dimensions).fill(0));
  for (const vector of vectors)
    for (let row = 0; row < dimensions; row++) {
      const sums = rows[row] as number[];
      const a = vector[row] as number;
      for (let column = 0; column < dimensions; column++)
        sums[column] = (sums[column] as number) + a * (vector[column] as number);
    }
  return rows;
}

/** The direction of the greatest spread, of length 1; zeros if there is none. Its largest component is positive. */
function principal(matrix: readonly Vector[]): Vector {
  let direction: Vector = unit(matrix.map((_, axis) => 1 / (axis + 1)));
  for (let round = 0; round < ROUNDS; round++) {
    const current = direction;
    direction = unit(matrix.map((row) => dot(row, current)));
  }
  const largest = direction.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? direction.map((x) => -x) : direction;
}

/** The matrix without the spread in a direction. */
function without(matrix: readonly Vector[], direction: Vector): readonly Vector[] {
  const value = dot(
    direction,
    matrix.map((row) => dot(row, direction)),
  );
  return matrix.map((row, at) =>
    row.map((x, column) => x - value * (direction[at] as number) * (direction[column] as number)),
  );
}

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let axis = 0; axis < a.length; axis++) sum += (a[axis] as number) * (b[axis] as number);
  return sum;
}

function unit(vector: Vector): Vector {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((x) => x / length) : vector;
}
