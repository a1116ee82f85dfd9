import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { fromUtf8 } from "../src/base/bytes.ts";
import { isJsonObject, JSON_DEPTH_MAX, parseJson } from "../src/base/json.ts";
import { describeFault } from "../src/base/json-text/fault-place.ts";
import { readJson, type ExactMembers } from "../src/base/json-text/read-json.ts";
import { repeatedKey } from "../src/base/repeated-key.ts";
import { pathText, shortName, unknownField } from "../src/protocol/schema/issues.ts";
import { readConfig } from "../durable/config.ts";
import { coordinatorForGateway } from "../durable/coordinator-port.ts";
import { log } from "../durable/worker-log.ts";
import type { AppContext, AppEnv } from "./context.ts";
import type { GatewayMemory } from "./gateway-memory.ts";
import { readBody } from "./read-body.ts";
import { addressOf } from "./request-address.ts";
import { problem } from "./problem.ts";
import { setSafeHeaders } from "./safe-headers.ts";

/** Sets the headers of every response, except of a WebSocket's 101, which the session's object makes. */
export const safeHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.res.status === 101) return;
  setSafeHeaders(c.res.headers, c.get("ownHeaders"));
};

/**
 * Sets the checked configuration, the coordinator and the client's address for every route; a mesh that is not configured
 * answers only with that error.
 */
export const loadConfiguration =
  (memory: GatewayMemory): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const config = readConfig(c.env, Date.now());
    if (!config.ok) {
      log.write("mesh.misconfigured", { reason: config.error.detail });
      return problem(c, config.error);
    }
    c.set("config", config.value);
    c.set("memory", memory);
    c.set("address", addressOf(c.req.raw, config.value.trustedProxies));
    c.set("coordinator", coordinatorForGateway(c.env, "anonymous"));
    return next();
  };

/** Refuses a body of more bytes, with or without a Content-Length. */
const limitBody = (maxSize: number): MiddlewareHandler<AppEnv> =>
  bodyLimit({
    maxSize,
    onError: (c) =>
      problem(c as AppContext, {
        code: "payload_too_large",
        detail: `the body is larger than ${maxSize} bytes, the limit of this path`,
      }),
  });

/** One level less than in a message: the message that carries a body's payload to a peer adds two levels, the body itself has one. */
const BODY_DEPTH_MAX = JSON_DEPTH_MAX - 1;
const BODY_LIMITS = { maxDepth: BODY_DEPTH_MAX };

/** The media types that Hono's own validator reads as JSON: a body that is accepted here is accepted there. */
const JSON_TYPE = /^application\/(?:[a-z.-]+\+)?json(?:;\s*[a-z0-9-]+=[^;]+)*$/i;

/**
 * Requires a JSON body in valid UTF-8 that is not nested too deeply, before anything else reads it. Whoever reads it then finds a
 * `JsonText` in place of each exact member.
 */
const requireJson =
  (exact: ExactMembers): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    if (!JSON_TYPE.test(c.req.header("Content-Type") ?? "")) {
      return problem(c, {
        code: "unsupported_media_type",
        detail: "send the header Content-Type: application/json",
      });
    }
    const text = fromUtf8(new Uint8Array(await c.req.arrayBuffer()));
    if (text === null)
      return problem(c, { code: "invalid_request", detail: "the body is not UTF-8" });
    const json = readJson(text, exact, BODY_LIMITS);
    if (!json.ok) {
      const fault = describeFault(text, json.error);
      return problem(c, { code: "invalid_request", detail: `the body can't be read: ${fault}` });
    }
    const repeated = repeatedKey(text);
    if (repeated !== null) {
      const message = "this field occurs twice in its object; send it once";
      return problem(c, {
        code: "invalid_request",
        detail: "a field of the body is repeated",
        issues: [{ path: pathText(repeated), message }],
      });
    }
    // The validator of the route calls it.
    c.req.json = () => Promise.resolve(json.value as never);
    return next();
  };

/** Enough to read `{}` and white space, or to name the fields of a small body. */
const NO_BODY_BYTES_MAX = 4_096;

/** Requires that a request to a path that takes no body has none. Some clients send `{}` with every POST. */
export const refuseBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.raw.body === null) return next();
  const bytes = await readBody(c.req.raw, NO_BODY_BYTES_MAX);
  if (bytes !== null && ["", "{}"].includes(fromUtf8(bytes)?.trim() ?? "not UTF-8")) return next();
  const json = bytes === null ? undefined : parseJson(fromUtf8(bytes) ?? "");
  const fields = isJsonObject(json) ? Object.keys(json).slice(0, ISSUES_MAX) : [];
  return problem(c, {
    code: "invalid_request",
    detail: "this path takes no body; send the request without one",
    issues: fields.map((name) => ({ path: shortName(name), message: unknownField(null) })),
  });
};

const ISSUES_MAX = 20;

/** The checks of a route whose body is JSON of at most this many bytes, in which the exact members keep their text. */
export const acceptsJson = (bytesMax: number, exact: ExactMembers) => [
  limitBody(bytesMax),
  requireJson(exact),
];
