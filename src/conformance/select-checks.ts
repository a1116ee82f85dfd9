import type { CheckInfo, Level, Subset } from "./check.ts";

export interface Selection {
  /** IDs, in any case; undefined selects every check. */
  readonly only: readonly string[] | undefined;
  /** `must` leaves out those that say `should`. */
  readonly level: Level | undefined;
  /** `core` leaves out those that are of the full set only. */
  readonly subset: Subset | undefined;
}

/** The selected checks, in their order; `unknown` are IDs that no check has. */
export function selectChecks<C extends CheckInfo>(
  checks: readonly C[],
  { only, level, subset }: Selection,
): { readonly selected: readonly C[]; readonly unknown: readonly string[] } {
  const ids = only?.map((id) => id.toUpperCase());
  const selected = checks.filter(
    (check) =>
      (ids?.includes(check.id) ?? true) &&
      (level !== "must" || check.level === "must") &&
      (subset !== "core" || check.subset === "core"),
  );
  const unknown = (ids ?? []).filter((id) => !checks.some((check) => check.id === id));
  return { selected, unknown };
}
