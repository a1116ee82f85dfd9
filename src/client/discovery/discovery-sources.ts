import type { Bytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import { BLOB_BYTES_MAX } from "../../protocol/constants.ts";
import { STALE_HEADER } from "../../protocol/discovery-headers.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import * as shapes from "../../protocol/shapes/discovery.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type ApiRequest, type Fetch } from "../http/api.ts";
import { boundedBody, boundedJson } from "../http/bounded-body.ts";
import {
  ANSWER_BYTES_MAX,
  FAILED_SOURCE_TIMEOUT,
  SOURCE_DISTRUSTED_FOR,
  SOURCE_FAILED_FOR,
  SOURCE_TIMEOUT,
} from "../timings.ts";
import { DiscoveryError } from "./discovery-error.ts";
import { positionFault } from "./list-position.ts";
import { isOutage, sourcesError, type SourceFailure } from "./source-failures.ts";

type Query = NonNullable<ApiRequest["query"]>;
type Check = (list: PointerList) => Promise<void>;
type Accept = (pointer: PointerView) => Promise<void>;

/** One server, and how it behaved lately. */
interface Source {
  readonly url: string;
  failedUntil: Millis;
  distrustedUntil: Millis;
}

const ANOTHER_POINTER = "the source answered with another pointer than the one asked for";

/** How one request is sent to a source. */
type SourceRequest = Pick<ApiRequest, "idempotent" | "timeout">;

interface ListAnswer {
  readonly list: PointerList;
  readonly isStale: boolean;
}

/**
 * The servers that publish a mesh's discovery: replicas and the mesh itself. Each is asked in turn until one gives an answer that can be
 * used. One that has just failed is asked after the others.
 */
export class DiscoverySources {
  readonly #sources: readonly Source[];
  readonly #token: () => Promise<string>;
  readonly #fetch: Fetch;
  readonly #now: () => Millis;
  #lastListed: Source | null = null;

  /** `urls` has at least one entry; `token` returns the reader token. */
  constructor(
    urls: readonly string[],
    token: () => Promise<string>,
    fetch: Fetch,
    now: () => Millis = Date.now,
  ) {
    this.#sources = urls.map((url) => ({ url, failedUntil: 0, distrustedUntil: 0 }));
    this.#token = token;
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * One page of pointers. `check` throws if the page must not be accepted; then the next source is asked. It is also asked when a replica
   * says that its copy may be outdated; if no source has a better one, the newest of these is returned.
   */
  async list(query: Query, check: Check): Promise<PointerList> {
    let newest: { readonly list: PointerList; readonly source: Source } | null = null;
    const failures: SourceFailure[] = [];
    for (const [source, request] of this.#order()) {
      const answer = await this.#ask(source, failures, async (api) => {
        const answered = await fetchList(api, query, request);
        await check(answered.list);
        const detail = positionFault(query, answered.list);
        if (detail !== null) throw new DiscoveryError({ code: "list_incomplete", detail });
        return answered;
      });
      if (answer === undefined) continue;
      const { list, isStale } = answer;
      if (newest === null || isNewer(list, newest.list)) newest = { list, source };
      if (!isStale) break;
    }
    if (newest === null) throw sourcesError(failures);
    this.#lastListed = newest.source;
    return newest.list;
  }

  /** Asks the source of the last page after the others for a while: it withheld something. False when no other one is left. */
  distrustLast(): boolean {
    const now = this.#now();
    if (this.#lastListed !== null) this.#lastListed.distrustedUntil = now + SOURCE_DISTRUSTED_FOR;
    return this.#sources.some(({ distrustedUntil }) => distrustedUntil <= now);
  }

  /**
   * The pointer with this ID; null if no source has it, and at least one of these sources passes `check` with its list: "not found" is also
   * what a caller is told that may not read. `accept` throws if the pointer must not be accepted; then the next source is asked.
   */
  async pointer(id: string, check: Check, accept: Accept): Promise<PointerView | null> {
    const failures: SourceFailure[] = [];
    let isAbsent = false;
    for (const [source, request] of this.#order()) {
      const found = await this.#ask(source, failures, async (api) => {
        const pointer = await nullIfMissing(
          api.json(shapes.PointerView, {
            path: `v1/pointers/${encodeURIComponent(id)}`,
            ...request,
          }),
        );
        if (pointer === null) await check((await fetchList(api, { limit: 1 }, request)).list);
        else if (pointer.id === id) await accept(pointer);
        else throw new DiscoveryError({ code: "identity_mismatch", detail: ANOTHER_POINTER });
        return pointer;
      });
      if (found === null) isAbsent = true;
      else if (found !== undefined) return found;
    }
    if (isAbsent) return null;
    throw sourcesError(failures);
  }

  /**
   * What `open` makes of the blob with this ID; when it throws, the next source is asked. Null if no source has the blob. A blob is asked for
   * once at each source: the caller tries again later.
   */
  async blob<T>(id: string, open: (bytes: Bytes) => T): Promise<T | null> {
    const failures: SourceFailure[] = [];
    for (const [source, { timeout }] of this.#order()) {
      const opened = await this.#ask(source, failures, async (api) => {
        const bytes = await nullIfMissing(
          fetchBlob(api, id, { idempotent: false, ...(timeout !== undefined && { timeout }) }),
        );
        return bytes === null ? null : { value: open(bytes) };
      });
      if (opened !== undefined && opened !== null) return opened.value;
    }
    if (failures.length === 0) return null;
    throw sourcesError(failures);
  }

  /** The sources in the order in which to ask them. Only requests to the last one are retried, unless it has just failed. */
  #order(): readonly (readonly [Source, SourceRequest])[] {
    const now = this.#now();
    const rank = ({ failedUntil, distrustedUntil }: Source): number =>
      2 * Number(distrustedUntil > now) + Number(failedUntil > now);
    const ordered = this.#sources.toSorted((a, b) => rank(a) - rank(b));
    return ordered.map((source, index) => {
      const hasFailed = source.failedUntil > now;
      const timeout = hasFailed ? FAILED_SOURCE_TIMEOUT : SOURCE_TIMEOUT;
      return [source, { idempotent: index === ordered.length - 1 && !hasFailed, timeout }] as const;
    });
  }

  /** The source's answer; undefined if it failed, which is added to `failures`. */
  async #ask<T>(
    source: Source,
    failures: SourceFailure[],
    request: (api: Api) => Promise<T>,
  ): Promise<T | undefined> {
    const { url } = source;
    const token = await this.#token();
    try {
      const answer = await request(
        new Api({ url, token, fetch: this.#fetch, random: Math.random }),
      );
      source.failedUntil = 0;
      return answer;
    } catch (error) {
      failures.push({ url, error });
      if (isOutage(error)) source.failedUntil = this.#now() + SOURCE_FAILED_FOR;
      return undefined;
    }
  }
}

async function fetchList(api: Api, query: Query, request: SourceRequest): Promise<ListAnswer> {
  const response = await api.response({ path: "v1/pointers", query, ...request });
  const answer = readShape(shapes.PointerList, await boundedJson(response, ANSWER_BYTES_MAX));
  if (!answer.ok) {
    const detail = `v1/pointers: ${answer.error}`;
    throw new MusterApiError("invalid_response", response.status, detail);
  }
  return { list: answer.value, isStale: response.headers.has(STALE_HEADER) };
}

/** Reads at most the bytes that a record can have: an untrusted copy could send more. */
async function fetchBlob(api: Api, id: string, request: SourceRequest): Promise<Bytes> {
  const response = await api.response({
    path: `v1/blobs/${encodeURIComponent(id)}`,
    headers: { accept: "application/octet-stream" },
    ...request,
  });
  return boundedBody(response, BLOB_BYTES_MAX);
}

const isNewer = ({ checkpoint: a }: PointerList, { checkpoint: b }: PointerList): boolean =>
  a.seq > b.seq || (a.seq === b.seq && a.issued_at > b.issued_at);

async function nullIfMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MusterApiError && error.status === 404) return null;
    throw error;
  }
}
