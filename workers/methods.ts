import type { Context, Env, MiddlewareHandler } from "hono";
import { methodsOf, type PathTable } from "./path-table.ts";

/**
 * Answers requests whose path exists but does not support their method, before anything else of them is read and to every caller: the
 * description of the API is public. OPTIONS is answered for every path. A path that does not exist is left to the routes.
 */
export function checkMethod<E extends Env>(
  paths: PathTable,
  refuse: (c: Context<E>, allowed: string) => Response | Promise<Response>,
): MiddlewareHandler<E> {
  return async (c, next) => {
    const { method } = c.req;
    const methods = methodsOf(paths.find(c.req.path));
    if (methods.length === 0 || methods.includes(method)) return next();
    const allowed = [...methods, "OPTIONS"].join(", ");
    c.header("Allow", allowed);
    return method === "OPTIONS" ? c.body(null, 204) : refuse(c, allowed);
  };
}
