/** The headers that the routes read and answer with, by their definitions. */
import { z } from "@hono/zod-openapi";
import type { CrossOriginRoutes } from "./cross-origin.ts";
import type { PathTable } from "./path-table.ts";
import { templateOf, type CheckedRoute, type Router } from "./route.ts";

/** What every path reads, and may answer with: a token; the methods that it supports; when to try again. */
const READ_BY_ALL = ["Authorization"];
const ANSWERED_BY_ALL = ["Allow", "Retry-After"];

/** What pages of other origins may use: every path except those whose requests a signature authorizes, which programs send. */
export function crossOriginRoutes(router: Router, paths: PathTable): CrossOriginRoutes {
  const { definitions } = router;
  const programs = once(
    () => new Set(definitions.filter((route) => route["x-scope"] === "signature").map(templateOf)),
  );
  return {
    paths,
    requestHeaders: once(() => distinct([...READ_BY_ALL, ...definitions.flatMap(headersRead)])),
    responseHeaders: once(() =>
      distinct([...ANSWERED_BY_ALL, ...definitions.flatMap(headersAnswered)]),
    ),
    isExcluded: (found) => found.some(({ template }) => programs().has(template)),
  };
}

function headersRead({ request }: CheckedRoute): readonly string[] {
  const stated = request?.headers instanceof z.ZodObject ? Object.keys(request.headers.shape) : [];
  return request?.body === undefined ? stated : ["Content-Type", ...stated];
}

const headersAnswered = ({ responses }: CheckedRoute): readonly string[] =>
  Object.values(responses).flatMap((response) => {
    const headers = "headers" in response ? response.headers : undefined;
    return headers instanceof z.ZodObject ? Object.keys(headers.shape) : [];
  });

/** Names of headers, in lower case as in HTTP/2. */
const distinct = (names: readonly string[]): readonly string[] => [
  ...new Set(names.map((name) => name.toLowerCase())),
];

/** Calculated at the first request, when every route is registered. */
function once<T>(calculate: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= calculate());
}
