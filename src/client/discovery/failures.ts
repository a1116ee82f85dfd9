import { MusterApiError } from "../errors.ts";
import type { DiscoveryFailure } from "./degraded.ts";
import { DiscoveryError } from "./discovery-error.ts";

/** The reasons that are reported, at most. Further ones are left out; `missing` counts their entries. */
const FAILURES_MAX = 16;

/** The failures of some entries, by their code. */
export function failuresOf(errors: Iterable<unknown>): readonly DiscoveryFailure[] {
  const byCode = new Map<string, DiscoveryFailure>();
  for (const error of errors) {
    const { code, detail } = failureOf(error);
    const entries = (byCode.get(code)?.entries ?? 0) + 1;
    byCode.set(code, { code, detail, entries });
  }
  return [...byCode.values()].slice(0, FAILURES_MAX);
}

/** The failure of the list itself. */
export const listFailure = (error: unknown): DiscoveryFailure => ({
  ...failureOf(error),
  entries: 0,
});

function failureOf(error: unknown): Pick<DiscoveryFailure, "code" | "detail"> {
  if (error instanceof DiscoveryError) return { code: error.code, detail: error.message };
  if (error instanceof MusterApiError) return { code: error.code, detail: error.detail };
  return { code: "failed", detail: String(error) };
}
