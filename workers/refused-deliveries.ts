import type { MusterError } from "../src/protocol/errors.ts";
import {
  REFUSAL_DETAIL_CHARS_MAX,
  REFUSAL_REPORT_INTERVAL,
  refusalHeaders,
} from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";
import { logRefusedDelivery } from "./request-log.ts";
import { findSource } from "./webhook-source-secrets.ts";

/** Reports that one request sends at most, itself and for those after it: the platform ends what a request left behind after 30 s. */
const REPORTS_MAX = 10;

/**
 * Counts a refused delivery for the list of its source. The isolate counts, and reports to the coordinator after the answer: at
 * once if it has not done so for a while, else with what follows in the interval.
 */
export function countRefusal(c: AppContext, name: string, error: MusterError): void {
  const { refusals, sources } = c.var.memory;
  const now = Date.now();
  const sourceId = sources.idOf(name);
  logRefusedDelivery(c, sourceId === null ? null : name, error);
  if (sourceId === null) refusals.addUnknown(now);
  else {
    refusals.add(
      {
        source: name,
        sourceId,
        code: error.code,
        detail: error.detail.slice(0, REFUSAL_DETAIL_CHARS_MAX),
        recorded: c.var.deliveryRecorded === true,
        method: c.req.method,
        headers: refusalHeaders(c.req.raw.headers),
        address: c.var.address,
        bytes: statedSize(c.req.header("Content-Length")),
      },
      now,
    );
  }
  const wait = refusals.claim(now);
  if (wait !== null) c.executionCtx.waitUntil(report(c, wait));
}

/** The same for a request whose method no webhook has: a sender that checks the address by GET, or was given the wrong method. */
export async function countRefusedMethod(c: AppContext, error: MusterError): Promise<void> {
  const name = c.req.path.split("/").at(-1) ?? "";
  await findSource(c, name, false);
  countRefusal(c, name, error);
}

async function report(c: AppContext, firstWait: number): Promise<void> {
  const { coordinator, memory } = c.var;
  const { refusals } = memory;
  let wait = firstWait;
  for (let sent = 0; sent < REPORTS_MAX && !refusals.isEmpty; sent++) {
    if (wait > 0) await scheduler.wait(wait);
    const taken = refusals.take(Date.now());
    const reported = await coordinator.call("report_refusals", taken);
    if (!reported.ok) refusals.putBack(taken);
    wait = REFUSAL_REPORT_INTERVAL;
  }
  refusals.release();
}

/** The size that a header states; null if it states none. */
const statedSize = (text: string | undefined): number | null =>
  text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
