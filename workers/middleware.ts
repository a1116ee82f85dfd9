import type { MiddlewareHandler } from "hono";
import { equalConstantTime, utf8 } from "../src/base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson } from "../src/base/json.ts";
import { sha256 } from "../src/crypto/primitives.ts";
import { readConfig } from "../durable/config.ts";
import { coordinatorOf } from "../durable/coordinator-port.ts";
import type { AppEnv } from "./context.ts";
import { problem } from "./problem.ts";

/** Puts the checked configuration at every route's hand; a mesh without its keys answers nothing else. */
export const configured: MiddlewareHandler<AppEnv> = async (c, next) => {
  const config = readConfig(c.env);
  if (!config.ok) return problem(c, config.error);
  c.set("config", config.value);
  c.set("coordinator", coordinatorOf(c.env));
  return next();
};

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

/** Lets a request through that carries the admin token. Hashes are compared, so that no length shows either. */
export const authorised: MiddlewareHandler<AppEnv> = async (c, next) => {
  const token = BEARER.exec(c.req.header("Authorization") ?? "")?.[1];
  if (token === undefined) {
    return problem(c, {
      code: "unauthorized",
      detail: "send the header Authorization: Bearer TOKEN",
    });
  }
  if (!equalConstantTime(sha256(utf8(token)), sha256(utf8(c.get("config").adminToken)))) {
    return problem(c, { code: "unauthorized", detail: "this token is not known here" });
  }
  return next();
};

/** A body may nest one level less than a message: what carries its payload to a peer adds two, the body itself has one. */
const BODY_DEPTH_MAX = JSON_DEPTH_MAX - 1;

/** Requires a JSON body of harmless depth, before anything else reads it. */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json *(?:;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    return problem(c, {
      code: "unsupported_media_type",
      detail: "send the header Content-Type: application/json",
    });
  }
  if (parseJson(await c.req.text(), BODY_DEPTH_MAX) === undefined) {
    return problem(c, {
      code: "invalid_request",
      detail: `the body is not JSON, or nests deeper than ${BODY_DEPTH_MAX} levels`,
    });
  }
  return next();
};
