import type { Hono } from "hono";

/** A path and the methods that it supports. */
export interface KnownPath {
  /** As it was registered: `/v1/tasks/:id`. */
  readonly template: string;
  readonly methods: readonly string[];
}

interface CompiledPath extends KnownPath {
  readonly pattern: RegExp;
  readonly parameters: number;
}

/** The paths of an application's routes. */
export class PathTable {
  readonly #routes: Hono["routes"];
  #paths: readonly CompiledPath[] | null = null;

  /** `routes` may grow until the first request. */
  constructor(routes: Hono["routes"]) {
    this.#routes = routes;
  }

  /** The path that is meant, once or as several templates that match alike; none if there is no such path. */
  find(path: string): readonly KnownPath[] {
    this.#paths ??= compiled(this.#routes);
    const matching = this.#paths.filter(({ pattern }) => pattern.test(path));
    // `/v1/tasks/cancel` is no task: the path with the fewest parameters is meant.
    const fewest = Math.min(...matching.map(({ parameters }) => parameters));
    return matching.filter(({ parameters }) => parameters === fewest);
  }
}

/** The methods of paths that match alike. */
export const methodsOf = (found: readonly KnownPath[]): readonly string[] => [
  ...new Set(found.flatMap(({ methods }) => methods)),
];

/** Middleware is registered for all methods (`ALL`) and is no route. */
function compiled(routes: Hono["routes"]): readonly CompiledPath[] {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === "GET") known.add("HEAD");
    methods.set(path, known);
  }
  return [...methods].map(([template, known]) => ({
    template,
    pattern: new RegExp(
      `^${template.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}$`,
    ),
    parameters: template.split("/:").length - 1,
    methods: [...known],
  }));
}
