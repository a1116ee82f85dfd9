import {
  createRoute,
  z,
  type OpenAPIHono,
  type RouteConfig,
  type RouteHandler,
} from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { BODY_BYTES_MAX } from "../src/protocol/constants.ts";
import { ExactMembers } from "../src/base/json-text/read-json.ts";
import { tolerantObjects } from "../src/protocol/schema/strictness.ts";
import { issuesOf } from "../src/protocol/schema/issues.ts";
import type { AppContext, AppEnv } from "./context.ts";
import { malformedKey } from "./key-fault.ts";
import { acceptsJson, refuseBody } from "./middleware.ts";
import { problem } from "./problem.ts";
import { checkQuery } from "./query.ts";
import { failureResponses, type FailureName } from "./responses.ts";
import { rulesOf, type RouteScope } from "./route-scope.ts";

type Method = "get" | "post" | "put" | "patch" | "delete";

/** The rest of a route's description. What follows from its scope and its body is added to it. */
type RouteDetails = Omit<RouteConfig, "security" | "middleware" | "tags" | "method" | "path"> & {
  /** The name of the operation, which generated clients give to its function: it never changes. */
  readonly operationId: string;
  /** The failures that are particular to this route. */
  readonly failures?: readonly FailureName[];
  /** The largest body; default: `BODY_BYTES_MAX`. */
  readonly bodyBytesMax?: number;
  /** Others choose the parameters of the query, which the route does not read: senders of webhooks add parameters of their own. */
  readonly acceptsAnyQuery?: true;
  /** The members of the body that keep their text: payloads. */
  readonly exactMembers?: ExactMembers;
  /** Runs after the check of the scope, before the request is read. */
  readonly middleware?: MiddlewareHandler<AppEnv>;
};

declare const CHECKED: unique symbol;
type Marked = { readonly [CHECKED]: true };
/** A route that checks its scope: only `routesTagged` makes one. */
export type CheckedRoute = RouteConfig & Marked;

/** Schemas of path parameters, by name. */
type PathSchemas = Readonly<Record<string, z.ZodType>>;
/** The names of the parameters in a path: `id` in `/v1/peers/{id}`. */
type NamesIn<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;
type WithParams<S extends PathSchemas, P extends string> = [NamesIn<P>] extends [never]
  ? unknown
  : { request: { params: z.ZodObject<Pick<S, NamesIn<P> & keyof S>> } };
/** A path may contain only parameters that have a schema. */
type PathOf<S extends PathSchemas, P extends string> = [NamesIn<P>] extends [keyof S] ? P : never;

type Defined<S extends PathSchemas, M extends Method, P extends string, R> = R &
  WithParams<S, P> & { method: M; path: P } & Marked;

/**
 * The functions that define the routes of one file, all under one tag of the API's description. `schemas` has the schemas of
 * the parameters in their paths.
 */
export const routesTagged = <const S extends PathSchemas>(tag: string, schemas: S) => ({
  /**
   * Defines a route. The check of its scope, and the check that its body is JSON if it has one, run before anything else of
   * the request is read.
   */
  define: <M extends Method, P extends string, R extends RouteDetails>(
    scope: RouteScope,
    method: M,
    path: P & PathOf<S, P>,
    details: R,
  ): Defined<S, M, P, R> => {
    const hasBody = details.request?.body !== undefined;
    const { bodyBytesMax = BODY_BYTES_MAX, exactMembers = NONE, failures = [] } = details;
    return checked(
      {
        tag,
        schemas,
        scope,
        method,
        path,
        bodyChecks: hasBody ? acceptsJson(bodyBytesMax, exactMembers) : [refuseBody],
      },
      { ...details, failures: hasBody ? ["too_large", "not_json", ...failures] : failures },
    );
  },

  /** Defines a route whose handler reads the body by itself, as bytes or as a stream. */
  defineRaw: <M extends Method, P extends string, R extends RouteDetails>(
    scope: RouteScope,
    method: M,
    path: P & PathOf<S, P>,
    details: R,
  ): Defined<S, M, P, R> => checked({ tag, schemas, scope, method, path, bodyChecks: [] }, details),
});

interface RouteHead<M extends Method, P extends string> {
  readonly tag: string;
  readonly schemas: PathSchemas;
  readonly scope: RouteScope;
  readonly method: M;
  readonly path: P;
  readonly bodyChecks: readonly MiddlewareHandler<AppEnv>[];
}

const NONE = new ExactMembers();

/** Adds to a route what follows from its scope and its path. */
function checked<M extends Method, P extends string, R extends RouteDetails>(
  { tag, schemas, scope, method, path, bodyChecks }: RouteHead<M, P>,
  details: R,
) {
  const {
    failures = [],
    bodyBytesMax: _,
    acceptsAnyQuery = false,
    exactMembers: _exact,
    middleware,
    request,
    responses,
    ...rest
  } = details;
  const { security, byDefault, check } = rulesOf(scope);
  const query = queryOf(request);
  for (const schema of [query, jsonBodyOf(request)])
    requireStrict(schema, `${method.toUpperCase()} ${path}`);
  const queryCheck = acceptsAnyQuery ? [] : [checkQuery(query, Object.keys(query?.shape ?? {}))];
  const route = createRoute({
    ...rest,
    method,
    path,
    tags: [tag],
    request: { ...paramsOf(path, schemas), ...request },
    security: security.map((alternative) => ({ ...alternative })),
    "x-scope": scope,
    middleware: [
      ...check,
      ...(middleware === undefined ? [] : [middleware]),
      ...queryCheck,
      ...bodyChecks,
    ],
    responses: {
      ...responses,
      ...failureResponses([...byDefault, ...ofResource(method, path), ...failures]),
    },
  });
  return route as never;
}

/** The schema of a route's query; null if the route takes no parameters. */
function queryOf(request: RouteConfig["request"]): z.ZodObject | null {
  const query = request?.query ?? null;
  if (query === null || query instanceof z.ZodObject) return query;
  throw new TypeError("the schema of a query is an object");
}

/** The schema of a route's JSON body; null if the route takes none. */
function jsonBodyOf(request: RouteConfig["request"]): z.ZodType | null {
  const content = request?.body?.content["application/json"];
  return content !== undefined && "schema" in content ? (content.schema as z.ZodType) : null;
}

/** A route whose schema would ignore an unknown field cannot be defined: a misspelt field would have no effect, and no error. */
function requireStrict(schema: z.ZodType | null, route: string): void {
  const [first] = schema === null ? [] : tolerantObjects(schema);
  if (first === undefined) return;
  const where = first === "" ? "the schema itself" : first;
  throw new TypeError(
    `the request of ${route} ignores unknown fields (${where}): use strictObject`,
  );
}

/** The parameters in a path, as part of the route's request. */
function paramsOf(path: string, schemas: PathSchemas) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const shape = Object.fromEntries(
    Object.entries(schemas).filter(([name]) => names.includes(name)),
  );
  return names.length === 0 ? {} : { params: z.object(shape) };
}

/** A request that reads or removes one resource fails if the resource does not exist. */
const ofResource = (method: Method, path: string): readonly FailureName[] =>
  (method === "get" || method === "delete") && path.includes("{") ? ["not_found"] : [];

const NO_FIELDS = z.object({});

/** The path of a route as Hono writes it: `/v1/tasks/:id`. */
export const templateOf = ({ path }: Pick<RouteConfig, "path">): string =>
  path.replaceAll(/\{(\w+)\}/g, ":$1");

/** Where route files register their routes. It accepts no handler without a definition, and so none without a scope. */
export class Router {
  readonly #app: OpenAPIHono<AppEnv>;
  readonly #definitions: CheckedRoute[] = [];

  constructor(app: OpenAPIHono<AppEnv>) {
    this.#app = app;
  }

  /** The routes that are registered. */
  get definitions(): readonly CheckedRoute[] {
    return this.#definitions;
  }

  /** Registers a route whose input is checked against its schemas before the handler runs. */
  route<R extends CheckedRoute>(definition: R, handler: RouteHandler<R, AppEnv>): void {
    this.#definitions.push(definition);
    const schemas = { json: jsonBodyOf(definition.request), query: queryOf(definition.request) };
    this.#app.openapi(definition, handler, (result, c) => {
      if (result.success) return undefined;
      const { error, target } = result;
      const schema =
        (target === "json" || target === "query" ? schemas[target] : null) ?? NO_FIELDS;
      return problem(
        c,
        malformedKey(error) ?? {
          code: "invalid_request",
          detail: "the request does not have the form that /openapi.json describes",
          issues: issuesOf(error, schema),
        },
      );
    });
  }

  /** Registers a route whose handler checks its input by itself. */
  rawRoute(
    definition: CheckedRoute,
    handler: (c: AppContext) => Response | Promise<Response>,
  ): void {
    this.#definitions.push(definition);
    const { middleware, ...described } = definition;
    this.#app.openAPIRegistry.registerPath(described);
    const checks = (middleware ?? []) as readonly MiddlewareHandler<AppEnv>[];
    const path = templateOf(definition);
    this.#app.on(definition.method.toUpperCase(), [path], ...checks, handler);
  }
}
