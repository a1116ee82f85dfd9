/** A label's name is what stands before its first `=`; the rest is its value. */
const nameOf = (label: string): string => label.split("=", 1)[0] as string;

/** A whole decimal number, so that `memory=16GiB` is none and never half read as one. */
const NUMBER = /^-?\d+(?:\.\d+)?$/;

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  ">=": (value, bound) => value >= bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  "<": (value, bound) => value < bound,
};

/**
 * Whether a peer's labels meet one requirement (`CapabilityRequirement`). A name may stand on several labels
 * (`model=a`, `model=b`): one that meets it is enough.
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
