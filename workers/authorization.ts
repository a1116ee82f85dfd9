import type { MiddlewareHandler } from "hono";
import { readCredential } from "../src/access/credential.ts";
import { permits, type Need } from "../src/access/scope.ts";
import { equalConstantTime, utf8 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { sha256 } from "../src/crypto/primitives.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { coordinatorForGateway } from "../durable/coordinator-port.ts";
import type { AppContext, AppEnv, Caller } from "./context.ts";
import { failure } from "./address-budgets.ts";
import { bearerToken } from "./bearer-token.ts";
import { problem } from "./problem.ts";

/**
 * Lets a request through whose bearer token allows `need`, and sets its caller for the handler. Routes attach it by their
 * scope (`defineRoute`); a path that is not defined needs an administrator.
 */
export const requireScope =
  (need: Need): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const caller = await callerOf(c);
    if (!caller.ok) return problem(c, caller.error);
    const { scope, actor } = caller.value;
    if (!permits(scope, need)) {
      return problem(c, {
        code: "forbidden",
        detail: `a token of scope ${scope} does not allow this`,
      });
    }
    c.set("caller", caller.value);
    c.set("coordinator", coordinatorForGateway(c.env, actor));
    return next();
  };

/** The request's bearer token; undefined if there is none of a valid form. */
export const bearerOf = (c: AppContext): string | undefined =>
  bearerToken(c.req.header("Authorization"));

/** The caller of a request. Only a token that the mesh made, and has not refused within the last minute, reaches the coordinator. */
async function callerOf(c: AppContext): Promise<Result<Caller, MusterError>> {
  const { config, coordinator, memory } = c.var;
  const token = bearerOf(c);
  if (token === undefined) {
    return refused(c, "send the header Authorization: Bearer TOKEN");
  }
  // Hashes are compared, so that the time taken does not reveal the token's length either.
  if (equalConstantTime(sha256(utf8(token)), sha256(utf8(config.adminToken)))) {
    return ok({ id: "admin", scope: "admin", expiresAt: null, actor: "admin" });
  }
  const credential = readCredential("mst", config.coordinator.credentialKey, token);
  if (credential === null) return refused(c, "the bearer token is not valid in this mesh");
  const { id, hash } = credential;
  if (memory.refusedTokens.has(hash, Date.now())) return refused(c, REVOKED);
  const known = await coordinator.call("authenticate", { id, hash });
  if (known.ok) return ok({ ...known.value, actor: `token:${id}` });
  if (known.error.code !== "unauthorized") return known;
  memory.refusedTokens.add(hash, Date.now());
  return refused(c, known.error.detail);
}

const REVOKED = "this token was revoked or does not exist";

const refused = (c: AppContext, detail: string) =>
  err(failure(c, "authorizations", { code: "unauthorized", detail }));
