import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { fromUtf8 } from "../src/base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson } from "../src/base/json.ts";
import { BODY_BYTES_MAX } from "../src/protocol/constants.ts";
import { readConfig } from "../durable/config.ts";
import { coordinatorForGateway } from "../durable/coordinator-port.ts";
import type { AppContext, AppEnv } from "./context.ts";
import { problem } from "./problem.ts";
import { setSafeHeaders } from "./safe-headers.ts";

/** Gives every answer its headers, but for a WebSocket's 101, which its session's object has made. */
export const safeHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.res.status === 101) return;
  setSafeHeaders(c.res.headers);
};

/** Puts the checked configuration at every route's hand; a mesh without its keys answers nothing else. */
export const configured: MiddlewareHandler<AppEnv> = async (c, next) => {
  const config = readConfig(c.env, Date.now());
  if (!config.ok) return problem(c, config.error);
  c.set("config", config.value);
  c.set("coordinator", coordinatorForGateway(c.env, "anonymous"));
  return next();
};

/** Refuses a body of more bytes, whether its length is announced or not. */
export const limit = (maxSize: number): MiddlewareHandler<AppEnv> =>
  bodyLimit({
    maxSize,
    onError: (c) =>
      problem(c as AppContext, {
        code: "payload_too_large",
        detail: `a body holds at most ${maxSize} bytes here`,
      }),
  });

/** A body may nest one level less than a message: what carries its payload to a peer adds two, the body itself has one. */
const BODY_DEPTH_MAX = JSON_DEPTH_MAX - 1;

/** The media types that hono's own reading of the body knows, too: what passes here passes there. */
const JSON_TYPE = /^application\/(?:[a-z.-]+\+)?json(?:;\s*[a-z0-9-]+=[^;]+)*$/i;

/** Requires a JSON body of harmless depth in strict UTF-8, before anything else reads it. */
const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!JSON_TYPE.test(c.req.header("Content-Type") ?? "")) {
    return problem(c, {
      code: "unsupported_media_type",
      detail: "send the header Content-Type: application/json",
    });
  }
  const text = fromUtf8(new Uint8Array(await c.req.arrayBuffer()));
  if (text === null || parseJson(text, BODY_DEPTH_MAX) === undefined) {
    return problem(c, {
      code: "invalid_request",
      detail: `the body is not JSON in UTF-8, or nests deeper than ${BODY_DEPTH_MAX} levels`,
    });
  }
  return next();
};

/** What stands before every route that takes JSON. */
export const takesJsonUpTo = (bytes: number) => [limit(bytes), jsonBody];
export const takesJson = takesJsonUpTo(BODY_BYTES_MAX);
