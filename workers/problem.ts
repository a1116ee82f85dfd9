import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Result } from "../src/base/result.ts";
import { toProblem, type MusterError } from "../src/protocol/errors.ts";

/** Answers with an error as `application/problem+json` (RFC 9457), which contains no internal details. */
export function problem(c: Context, error: MusterError): Response {
  const body = toProblem(error);
  if (body.retry_after !== undefined) c.header("Retry-After", String(Math.ceil(body.retry_after)));
  if (body.code === "unauthorized") c.header("WWW-Authenticate", 'Bearer realm="muster"');
  c.header("Content-Type", "application/problem+json");
  return c.body(JSON.stringify(body), body.status as ContentfulStatusCode);
}

/** Answers with `toResponse` of a success, or with the error's problem document. */
export function respond<T, R extends Response>(
  c: Context,
  result: Result<T, MusterError>,
  toResponse: (value: T) => R,
): R {
  // A command's type does not contain its errors. Tests check that a route's description lists every status that it answers with.
  return result.ok ? toResponse(result.value) : (problem(c, result.error) as R);
}
