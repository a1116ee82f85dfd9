/** A label's name is the part before its first `=`; the rest is its value. */
export const nameOf = (label: string): string => label.split("=", 1)[0] as string;

/** A complete decimal number, so that `memory=16GiB` is not read as 16. */
const NUMBER = /^-?\d+(?:\.\d+)?$/;

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  ">=": (value, bound) => value >= bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  "<": (value, bound) => value < bound,
};

/** A requirement that compares the number of a label, in its parts; null when it is of another form. */
export function comparisonOf(
  wanted: string,
): { readonly name: string; readonly operator: string; readonly bound: string } | null {
  const parts = /^([^<>=]+)([<>]=?)(.+)$/.exec(wanted);
  if (parts === null) return null;
  const [, name = "", operator = "", bound = ""] = parts;
  return { name, operator, bound };
}

/** The numbers of a peer's labels of this name. */
export function valuesOf(labels: readonly string[], name: string): readonly number[] {
  const values = labels
    .filter((label) => label.startsWith(`${name}=`))
    .map((label) => label.slice(name.length + 1));
  return values.filter((value) => NUMBER.test(value)).map(Number);
}

export const holds = (value: number, operator: string, bound: number): boolean =>
  COMPARISONS[operator]?.(value, bound) === true;

/**
 * Whether a peer's labels meet one requirement (`CapabilityRequirement`). Several labels may have one name (`model=a`,
 * `model=b`): one that meets the requirement is enough.
 */
export function meets(labels: readonly string[], wanted: string): boolean {
  const comparison = comparisonOf(wanted);
  if (comparison === null) {
    return wanted.includes("=")
      ? labels.includes(wanted)
      : labels.some((label) => nameOf(label) === wanted);
  }
  const { name, operator, bound } = comparison;
  return valuesOf(labels, name).some((value) => holds(value, operator, Number(bound)));
}
