/** One dimension of a space of items: what is measured, how much it counts, and which way is better. */
export interface Axis<T> {
  /** Null, or no number, where it was never measured. */
  readonly value: (item: T) => number | null;
  /** Multiplies the normalised value; 1 unless given. */
  readonly weight?: number;
  /** Turns the axis round, for what is better the more there is: the best is at 0 then, as on every other. */
  readonly invert?: boolean;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What was never measured stands in the middle: neither ideal nor hopeless (as in a score). */
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
 * Where an item lies: each axis min-max normalised over its range, turned round if it says so, then weighted. Axes
 * without extent are 0 before that. A query beyond the ranges lies outside the unit cube.
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
