/** A label's name is the part before its first `=`; the rest is its value. */
const nameOf = (label: string): string => label.split("=", 1)[0] as string;

/** A complete decimal number, so that `memory=16GiB` is not read as 16. */
const NUMBER = /^-?\d+(?:\.\d+)?$/;

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  ">=": (value, bound) => value >= bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  "<": (value, bound) => value < bound,
};

/**
 * Whether a peer's labels meet one requirement (`CapabilityRequirement`). Several labels may have one name (`model=a`,
 * `model=b`): one that meets the requirement is enough.
 */
export function meets(labels: readonly string[], wanted: string): boolean {
  const comparison = /^([^<>=]+)([<>]=?)(.+)$/.exec(wanted);
  if (comparison === null) {
    return wanted.includes("=")
      ? labels.includes(wanted)
      : labels.some((label) => nameOf(label) === wanted);
  }
  const [, name = "", operator = "", bound = ""] = comparison;
  return labels.some((label) => {
    if (!label.startsWith(`${name}=`)) return false;
    const value = label.slice(name.length + 1);
    return NUMBER.test(value) && COMPARISONS[operator]?.(Number(value), Number(bound)) === true;
  });
}
