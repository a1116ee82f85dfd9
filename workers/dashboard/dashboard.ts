/** Serves the dashboard, a page that uses the HTTP API like any other client. The page itself shows nothing of the mesh. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { fromBase64, type Bytes } from "../../src/base/bytes.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { problem } from "../problem.ts";
import { FILES, PAGE, type DashboardAsset } from "./assets.js";

const PATH = "/dashboard";

/**
 * The page may load its own files and call its own mesh, nothing else: no script of a payload or a name could run, be sent anywhere, or
 * frame it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The name of a file changes with its content. */
const FOREVER = "public, max-age=31536000, immutable";
/** A new version of the mesh has a new page: browsers ask whether theirs is still the right one. */
const ASK_AGAIN = "no-cache";

export function dashboardRoutes(app: OpenAPIHono<AppEnv>): void {
  app.get(PATH, (c) => send(c, PAGE, ASK_AGAIN));
  app.get(`${PATH}/:file`, (c) => {
    const name = c.req.param("file");
    const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    if (file !== undefined) return send(c, file, FOREVER);
    return problem(c, { code: "not_found", detail: "the dashboard has no such file; reload it" });
  });
}

/** Whether a path that no route defines is asked for by a browser that looks for the dashboard. */
export const leadsToDashboard = ({ req }: AppContext): boolean =>
  ["/", `${PATH}/`].includes(req.path) &&
  ["GET", "HEAD"].includes(req.method) &&
  (req.header("Accept") ?? "").includes("text/html");

export const toDashboard = (c: AppContext): Response => {
  c.header("Vary", "Accept");
  return c.redirect(PATH, 302);
};

function send(c: AppContext, asset: DashboardAsset, caching: string): Response | Promise<Response> {
  const etag = `"${asset.hash}"`;
  c.set("ownHeaders", { "Cache-Control": caching, "Content-Security-Policy": POLICY });
  const headers = { "Content-Type": asset.type, ETag: etag, Vary: "Accept-Encoding" };
  if (c.req.header("If-None-Match") === etag) return c.body(null, 304, headers);
  const bytes = fromBase64(asset.gzip) as Bytes;
  // Whoever does not read gzip gets the file as it is.
  if (!/\bgzip\b/.test(c.req.header("Accept-Encoding") ?? ""))
    return new Response(unzipped(bytes), { headers });
  return new Response(bytes, {
    headers: { ...headers, "Content-Encoding": "gzip" },
    encodeBody: "manual",
  });
}

const unzipped = (bytes: Bytes): ReadableStream =>
  new Response(bytes).body?.pipeThrough(new DecompressionStream("gzip")) as ReadableStream;
