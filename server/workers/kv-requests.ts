/**
 * What workerd's `kvNamespace` binding asks of the service behind it: `GET`, `PUT` and `DELETE` of a key, which is the path, and
 * `GET /` for a list. The limits are those of Workers KV.
 */
import type { KvEntries } from "./kv-entries.ts";

const KEY_BYTES_MAX = 512;
const VALUE_BYTES_MAX = 25 * 1_024 * 1_024;
const METADATA_BYTES_MAX = 1_024;
const TTL_SECONDS_MIN = 60;
const LIST_MAX = 1_000;
const METADATA_HEADER = "CF-KV-Metadata";

export interface KvRequest {
  readonly method: string;
  readonly url: URL;
  /** JSON of the entry's metadata. */
  readonly metadata: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

export const kvRequest = async (request: Request): Promise<KvRequest> => ({
  method: request.method,
  url: new URL(request.url),
  metadata: request.headers.get(METADATA_HEADER),
  body: new Uint8Array(await request.arrayBuffer()),
});

/** `now` is in seconds. */
export function answerKv(entries: KvEntries, request: KvRequest, now: number): Response {
  const { method, url } = request;
  const key = decodeURIComponent(url.pathname.slice(1));
  if (key === "" && method === "GET") return list(entries, url.searchParams, now);
  const fault = keyFault(key);
  if (fault !== null) return fault;
  switch (method) {
    case "GET":
      return get(entries, key, now);
    case "PUT":
      return put(entries, key, request, now);
    case "DELETE":
      entries.delete(key);
      return new Response();
    default:
      return refused(405, `${method} is not supported`);
  }
}

function get(entries: KvEntries, key: string, now: number): Response {
  const entry = entries.get(key, now);
  if (entry === null) return refused(404, "Not Found");
  const { value, metadata } = entry;
  return new Response(value, { headers: metadata === null ? {} : { [METADATA_HEADER]: metadata } });
}

function put(
  entries: KvEntries,
  key: string,
  { url, metadata, body }: KvRequest,
  now: number,
): Response {
  if (body.length > VALUE_BYTES_MAX)
    return refused(
      413,
      `Value length of ${body.length} exceeds the limit of ${VALUE_BYTES_MAX} bytes`,
    );
  if (metadata !== null && byteLength(metadata) > METADATA_BYTES_MAX)
    return refused(413, `Metadata exceeds the limit of ${METADATA_BYTES_MAX} bytes`);
  const ttl = url.searchParams.get("expiration_ttl");
  const time = url.searchParams.get("expiration");
  const expiration = ttl === null ? time && Number(time) : now + Number(ttl);
  if (expiration !== null && !isExpiration(expiration, now))
    return refused(
      400,
      `Invalid expiration of ${ttl ?? time}: it must be a whole number at least ${TTL_SECONDS_MIN} seconds ahead`,
    );
  entries.put(key, body, { expiration: expiration as number | null, metadata });
  return new Response();
}

const isExpiration = (expiration: unknown, now: number): boolean =>
  Number.isSafeInteger(expiration) && Number(expiration) >= now + TTL_SECONDS_MIN;

function list(entries: KvEntries, query: URLSearchParams, now: number): Response {
  const limit = Number(query.get("key_count_limit") ?? LIST_MAX);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX)
    return refused(400, `Invalid limit: it must be a whole number from 1 to ${LIST_MAX}`);
  const cursor = query.get("cursor") ?? "";
  const after = cursor === "" ? null : keyOfCursor(cursor);
  const { keys, more } = entries.list({ prefix: query.get("prefix") ?? "", limit, after }, now);
  const last = keys.at(-1)?.name;
  return Response.json(
    more && last !== undefined
      ? { keys, list_complete: false, cursor: encodeURIComponent(last), cacheStatus: null }
      : { keys, list_complete: true, cacheStatus: null },
  );
}

function keyOfCursor(cursor: string): string {
  try {
    return decodeURIComponent(cursor);
  } catch {
    return cursor;
  }
}

function keyFault(key: string): Response | null {
  if (key === "" || key === "." || key === "..") return refused(400, `"${key}" is no key`);
  if (byteLength(key) > KEY_BYTES_MAX)
    return refused(
      414,
      `Key length of ${byteLength(key)} exceeds the limit of ${KEY_BYTES_MAX} bytes`,
    );
  return null;
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** The reason is in the status line, from where the binding takes it. */
export const refused = (status: number, reason: string): Response =>
  new Response(reason, { status, statusText: reason });
