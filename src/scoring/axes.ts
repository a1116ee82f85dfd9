/** One dimension of a space of items: its value, its weight, and its direction. */
export interface Axis<T> {
  /** Null, or NaN, where it was never measured. */
  readonly value: (item: T) => number | null;
  /** Multiplies the normalized value; 1 unless given. */
  readonly weight?: number;
  /** Inverts the axis, where more is better: then the best is at 0, as on every other axis. */
  readonly invert?: boolean;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** An item that was never measured is in the middle, as in a score. */
const MIDDLE = 0.5;

/** The smallest and the largest value on each axis; 0 to 0 where nothing was measured. */
export function rangesOf<T>(items: readonly T[], axes: readonly Axis<T>[]): readonly Range[] {
  return axes.map(({ value }) => {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const item of items) {
      const raw = value(item);
      if (!isMeasured(raw)) continue;
      min = Math.min(min, raw);
      max = Math.max(max, raw);
    }
    return min > max ? { min: 0, max: 0 } : { min, max };
  });
}

/**
 * The point of an item: each axis is min-max normalized over its range, inverted if the axis says so, then weighted.
 * Axes without extent are 0 before that. A query beyond the ranges lies outside the unit cube.
 */
export function pointOf<T>(
  item: T,
  axes: readonly Axis<T>[],
  ranges: readonly Range[],
): readonly number[] {
  return axes.map(({ value, weight = 1, invert = false }, axis) => {
    const normal = normalised(value(item), ranges[axis] as Range);
    return weight * (invert ? 1 - normal : normal);
  });
}

function normalised(raw: number | null, { min, max }: Range): number {
  if (!isMeasured(raw)) return MIDDLE;
  return max === min ? 0 : (raw - min) / (max - min);
}

const isMeasured = (raw: number | null): raw is number => raw !== null && Number.isFinite(raw);
