import type { MiddlewareHandler } from "hono";
import { faultOf } from "../src/base/log/log-events.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { traceIdIn } from "../src/protocol/trace-context.ts";
import { log } from "../durable/worker-log.ts";
import type { AppContext, AppEnv } from "./context.ts";

/** A status that says that the mesh, and not the caller, is at fault. */
const FAULT_STATUS = 500;
/** No room is left: each request would write a line on the full disk. Storage has its own lines. */
const NO_ROOM_STATUS = 507;

/** Logs the answers that are the mesh's fault, and all others if the level is `debug`. */
export const logRequests: MiddlewareHandler<AppEnv> = async (c, next) => {
  const startedAt = Date.now();
  await next();
  const { status } = c.res;
  const isUnavailable = status >= FAULT_STATUS && status !== NO_ROOM_STATUS;
  if (!isUnavailable && !log.isOn("debug")) return;
  const duration = Date.now() - startedAt;
  const event = isUnavailable ? "request.unavailable" : "request.answered";
  log.write(event, { ...requestOf(c), status, duration_ms: duration });
};

/** Logs a defect. Its stack is only in the log. */
export const logFailure = (c: AppContext, thrown: unknown): void =>
  log.write("request.failed", { ...requestOf(c), ...faultOf(thrown) });

/** Logs a request without a valid token or ticket. */
export const logRefusedRequest = (c: AppContext, { code }: MusterError): void =>
  log.write("request.refused", { ...requestOf(c), code, address: c.var.address });

/** Logs a refused delivery of a webhook source; null: there is no source of that name. */
export const logRefusedDelivery = (
  c: AppContext,
  source: string | null,
  { code }: MusterError,
): void =>
  log.write("webhook.refused", { source, code, address: c.var.address, trace: traceIdOf(c) });

const requestOf = (c: AppContext) => ({
  method: c.req.method,
  path: c.req.path,
  trace: traceIdOf(c),
});

const traceIdOf = (c: AppContext): string | null => traceIdIn(c.req.header("traceparent"));
