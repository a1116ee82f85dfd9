/** Answers that web pages of other origins may read (CORS, the Fetch standard section 3.3), for a mesh and for a replica. */
import type { Context, Env, MiddlewareHandler } from "hono";
import {
  admitsPage,
  NO_PAGES,
  readPageOrigins,
  type PageOrigins,
} from "../src/access/page-origins.ts";
import { problem } from "./problem.ts";
import { methodsOf, type KnownPath, type PathTable } from "./path-table.ts";

/** What pages may send, and read. */
export interface CrossOriginRoutes {
  readonly paths: PathTable;
  /** The names of the request headers that any path reads. A client may send its token to a path that needs none. */
  readonly requestHeaders: () => readonly string[];
  /** The names of the answers' headers, besides those that every page may read. */
  readonly responseHeaders: () => readonly string[];
  /** Whether the path is for programs only: it answers as if the option were off. */
  readonly isExcluded: (found: readonly KnownPath[]) => boolean;
}

export interface CrossOriginOptions<E extends Env> extends CrossOriginRoutes {
  /** The text of the option `CORS_ORIGINS`. */
  readonly origins: (c: Context<E>) => string | undefined;
  /** Consumes one preflight of the address; the seconds to wait if it has made too many, else 0. They use up no other budget. */
  readonly consumePreflight: (c: Context<E>) => number;
}

/** A browser asks again after this time, so that an origin that was removed soon makes no more requests. */
const MAX_AGE_SECONDS = 600;
/** A preflight of a path that does not exist succeeds, so that the page reads the 404. */
const EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/**
 * Lets the pages of the listed origins read answers, errors included, and answers their preflights before anything else of them is read.
 * No answer allows credentials: a page has the token that its user gives it, and cookies mean nothing to a mesh.
 */
export function crossOrigin<E extends Env>(options: CrossOriginOptions<E>): MiddlewareHandler<E> {
  const readOrigins = cachedOrigins();
  return async (c, next) => {
    const pages = readOrigins(options.origins(c));
    if (pages === NO_PAGES) return next();
    const found = options.paths.find(c.req.path);
    if (options.isExcluded(found)) return next();
    const origin = c.req.header("Origin");
    const allowed = allowedOrigin(pages, origin);
    const answer =
      allowed !== null && isPreflight(c) ? answerPreflight(c, options, found) : undefined;
    if (answer === undefined) await next();
    const { status, headers } = answer ?? c.res;
    // A WebSocket's 101 is made by the session's object, and is no answer that CORS concerns.
    if (status === 101) return undefined;
    if (!pages.every) headers.append("Vary", "Origin");
    if (allowed !== null) {
      headers.set("Access-Control-Allow-Origin", allowed);
      headers.set("Access-Control-Expose-Headers", options.responseHeaders().join(", "));
    }
    return answer;
  };
}

/** The origin that an answer names; null for a page that may not read it, and for a request of no page. */
function allowedOrigin(pages: PageOrigins, origin: string | undefined): string | null {
  if (pages.every) return "*";
  return origin !== undefined && admitsPage(pages, origin) ? origin : null;
}

const isPreflight = (c: Context): boolean =>
  c.req.method === "OPTIONS" &&
  c.req.header("Origin") !== undefined &&
  c.req.header("Access-Control-Request-Method") !== undefined;

function answerPreflight<E extends Env>(
  c: Context<E>,
  { consumePreflight, requestHeaders }: CrossOriginOptions<E>,
  found: readonly KnownPath[],
): Response {
  const wait = consumePreflight(c);
  if (wait > 0) {
    const detail = "too many preflights from this address; wait for the time in Retry-After";
    return problem(c, { code: "rate_limited", detail, retryAfter: wait });
  }
  const methods = found.length === 0 ? EVERY_METHOD : methodsOf(found);
  c.header("Access-Control-Allow-Methods", methods.join(", "));
  c.header("Access-Control-Allow-Headers", requestHeaders().join(", "));
  c.header("Access-Control-Max-Age", String(MAX_AGE_SECONDS));
  return c.body(null, 204);
}

/** Reads the option once. One that is not valid admits no page: the check of the configuration reports it. */
function cachedOrigins(): (text: string | undefined) => PageOrigins {
  let last: { readonly text: string; readonly pages: PageOrigins } | null = null;
  return (text = "") => {
    if (last?.text !== text) {
      const read = readPageOrigins(text);
      last = { text, pages: read.ok ? read.value : NO_PAGES };
    }
    return last.pages;
  };
}
