import type { Context, Hono, Env, MiddlewareHandler } from "hono";

/** A path and the methods that it supports. */
interface Path {
  readonly pattern: RegExp;
  readonly parameters: number;
  readonly methods: readonly string[];
}

/**
 * Answers requests whose path exists but does not support their method, before anything else of them is read and to every caller: the
 * description of the API is public. OPTIONS is answered for every path. A path that does not exist is left to the routes.
 */
export function checkMethod<E extends Env>(
  app: Hono<E>,
  refuse: (c: Context<E>, allowed: string) => Response,
): MiddlewareHandler<E> {
  let paths: readonly Path[] | null = null;
  return async (c, next) => {
    paths ??= pathsOf(app.routes);
    const { method } = c.req;
    const matching = paths.filter(({ pattern }) => pattern.test(c.req.path));
    // `/v1/tasks/cancel` is no task: the path with the fewest parameters is meant.
    const fewest = Math.min(...matching.map(({ parameters }) => parameters));
    const found = matching.filter(({ parameters }) => parameters === fewest);
    if (found.length === 0 || found.some(({ methods }) => methods.includes(method))) return next();
    const allowed = [...new Set(found.flatMap(({ methods }) => methods)), "OPTIONS"].join(", ");
    c.header("Allow", allowed);
    return method === "OPTIONS" ? c.body(null, 204) : refuse(c, allowed);
  };
}

/** The paths of the registered routes. Middleware is registered for all methods (`ALL`) and is no route. */
function pathsOf(routes: Hono["routes"]): readonly Path[] {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === "GET") known.add("HEAD");
    methods.set(path, known);
  }
  return [...methods].map(([path, known]) => ({
    pattern: new RegExp(
      `^${path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}$`,
    ),
    parameters: path.split("/:").length - 1,
    methods: [...known],
  }));
}
