import type { MusterError } from "../src/protocol/errors.ts";
import type { AppContext } from "./context.ts";
import { logRefusedRequest } from "./request-log.ts";

/** Counts a request that was refused before its caller was known. The isolate reports after the answer, now and then (MT12). */
export function countUnproved(c: AppContext, error: MusterError): void {
  const { refusalCounts } = c.var.memory;
  logRefusedRequest(c, error);
  const now = Date.now();
  refusalCounts.add("gateway", error.code);
  const wait = refusalCounts.claim(now);
  if (wait !== null) c.executionCtx.waitUntil(report(c, wait));
}

async function report(c: AppContext, wait: number): Promise<void> {
  const { coordinator, memory } = c.var;
  if (wait > 0) await scheduler.wait(wait);
  await memory.refusalCounts.report(Date.now(), (counts) =>
    coordinator.call("count_refusals", { counts }),
  );
}
