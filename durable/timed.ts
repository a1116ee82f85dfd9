import { SECOND } from "../src/base/clock.ts";
import type { Registry } from "../src/registry/registry.ts";

/**
 * Does the work of some commands, and counts how long each took until its answer. On Cloudflare the clock stands still while code runs: what
 * is measured there is the time for which commands wait.
 */
export async function timed<T>(
  { metrics }: Pick<Registry, "metrics">,
  type: "read" | "write",
  commands: number,
  work: () => T | Promise<T>,
): Promise<T> {
  const begun = Date.now();
  const answer = await work();
  const seconds = Math.max(0, Date.now() - begun) / SECOND;
  for (let n = 0; n < commands; n++)
    metrics.observe("muster_command_duration_seconds", [type], seconds);
  return answer;
}
