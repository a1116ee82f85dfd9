import { isJsonObject } from "../../base/json.ts";
import type { Bytes } from "../../base/bytes.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { Typed } from "../../base/shape/shape.ts";
import type { ExactMembers } from "../../base/json-text/read-json.ts";
import { isErrorCode, TROUBLESHOOTING_PATH } from "../../protocol/error-statuses.ts";
import { ProblemView } from "../../protocol/shapes/problem.ts";
import { readRetryAfter } from "../../protocol/retry-after-header.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { boundedBody, boundedJson, refuseCutJson } from "./bounded-body.ts";
import { withRetries, type Attempt } from "./request-retry.ts";
import { timeoutSignal } from "./timeout-signal.ts";
import {
  ANSWER_BYTES_MAX,
  OUTAGE_LAST_TRY,
  PROBLEM_BYTES_MAX,
  REQUEST_TIMEOUT,
} from "../timings.ts";
import { apiBase } from "../urls.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ApiOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: Fetch;
  readonly random: Random;
  /** Called with the cells of the mesh that an answer says are missing in it. */
  readonly onMissingCells?: ((cells: readonly number[]) => void) | undefined;
}

export interface ApiRequest {
  readonly method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** Below the mesh's base URL, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The members of the answer that keep their text. */
  readonly exact?: ExactMembers;
  /** Sent unchanged, instead of `body`. */
  readonly content?: { readonly type: string; readonly bytes: Bytes };
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the request may be retried; default: true for GET and PUT. */
  readonly idempotent?: boolean;
  /** How long the mesh may wait before it answers, in milliseconds; added to `timeout`. */
  readonly wait?: Millis;
  /** The same, which the request asks the mesh for (long polling). During an outage the mesh is asked to answer at once. */
  readonly poll?: Millis | undefined;
  /** The call goes on while the mesh gives no answer, for this long; default 0: the request is retried a few times. */
  readonly outageMs?: Millis | undefined;
  /** How long the answer may take, in milliseconds. */
  readonly timeout?: Millis;
  readonly signal?: AbortSignal | undefined;
}

/** A shape, or what loads it. */
export type ShapeSource<T> = Typed<T> | (() => Promise<Typed<T>>);

/** The body of an answer, as it came. */
export interface Content {
  readonly headers: Headers;
  readonly bytes: Bytes;
}

/** One segment of a path, escaped: an ID from the caller can't change the path. */
export const segment = (text: string): string => encodeURIComponent(text);

/** Sends requests to the mesh's HTTP API, retries idempotent ones, and validates the answers. Throws `MusterApiError`. */
export class Api {
  readonly #options: ApiOptions;
  readonly #base: string;

  constructor(options: ApiOptions) {
    // The runtime's own error about such a header would show the token.
    if (options.token !== undefined && !/^[\u0021-\u007e]*$/.test(options.token))
      throw new OptionsError("the token has a character that no token has, such as a space");
    this.#options = options;
    this.#base = apiBase(options.url);
  }

  /** The JSON of the answer, validated by its shape. One that has to be loaded is loaded before anything is sent. */
  async json<T>(source: ShapeSource<T>, request: ApiRequest): Promise<T> {
    const shape = typeof source === "function" ? await source() : source;
    const [status, json] = await this.#exchange(request, async (response) => [
      response.status,
      await boundedJson(response, ANSWER_BYTES_MAX, request.exact),
    ]);
    const answer = readShape(shape, json);
    if (answer.ok) {
      const { missing_cells: missing } = answer.value as { readonly missing_cells?: number[] };
      if (missing) this.#options.onMissingCells?.(missing);
      return answer.value;
    }
    const what = isJsonObject(json) ? answer.error : "no JSON object";
    const detail = `${this.#base} is no Muster mesh: its answer to ${request.path} is not that of one (${what})`;
    throw new MusterApiError("invalid_response", status, detail);
  }

  /** The bytes of the successful answer, at most `max`, with its headers. */
  content(request: ApiRequest, max: number): Promise<Content> {
    return this.#exchange(request, async (response) => {
      const { headers } = response;
      const bytes = await boundedBody(response, max);
      if (headers.get("content-type")?.startsWith("application/json") === true)
        refuseCutJson(response, bytes);
      return { headers, bytes };
    });
  }

  /** Removes something. A mesh answers that with 204 and nothing: whatever else answers has removed nothing. */
  async remove(path: string, query?: ApiRequest["query"]): Promise<void> {
    const { status } = await this.response({ method: "DELETE", path, ...(query && { query }) });
    if (status === 204) return;
    const detail = `${this.#base} is no Muster mesh: it answers a DELETE of ${path} with HTTP ${status}`;
    throw new MusterApiError("invalid_response", status, detail);
  }

  /** The successful response itself. */
  response(request: ApiRequest): Promise<Response> {
    return this.#exchange(request, (response) => response);
  }

  /** Reads the successful answer of a request. One that breaks off counts as none. */
  #exchange<T>(request: ApiRequest, read: (response: Response) => T | Promise<T>): Promise<T> {
    const { method = "GET", idempotent = method === "GET" || method === "PUT" } = request;
    const { signal, outageMs, poll = 0, wait = poll } = request;
    const { random } = this.#options;
    const once = (attempt: Attempt) => this.#once({ ...request, method }, read, attempt);
    return idempotent
      ? withRetries(once, { random, signal, outageMs, wait })
      : once({ outageLeft: null });
  }

  async #once<T>(
    request: ApiRequest,
    read: (response: Response) => T | Promise<T>,
    attempt: Attempt,
  ): Promise<T> {
    const response = await this.#fetch(request, attempt);
    try {
      if (response.ok) return await read(response);
      throw await apiErrorOf(response, this.#base);
    } catch (error) {
      request.signal?.throwIfAborted();
      if (error instanceof MusterApiError) throw error;
      const detail = `${this.#base} broke off its answer`;
      throw new MusterApiError("unreachable", 0, detail, { cause: error });
    }
  }

  async #fetch(request: ApiRequest, { outageLeft }: Attempt): Promise<Response> {
    const { token, fetch } = this.#options;
    const { method = "GET", timeout: answerTimeout = REQUEST_TIMEOUT } = request;
    // A mesh that comes back is asked to answer at once.
    const poll = outageLeft === null ? request.poll : undefined;
    const { wait = poll ?? 0 } = request;
    const timeout = timeoutSignal(
      outageLeft === null
        ? answerTimeout + wait
        : Math.min(answerTimeout, Math.max(outageLeft, OUTAGE_LAST_TRY)),
    );
    const content = contentOf(request);
    const init: RequestInit = {
      method,
      headers: {
        accept: "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(content !== undefined && { "content-type": content.type }),
        ...request.headers,
      },
      // The API has no redirects, and following one would send the token to another server.
      redirect: "manual",
      signal: request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]),
      ...(content !== undefined && { body: content.bytes }),
    };
    try {
      return await fetch(this.#url(request, poll), init);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new MusterApiError("unreachable", 0, `${this.#base} does not answer`, { cause: error });
    }
  }

  #url({ path, query = {} }: ApiRequest, poll: Millis | undefined): string {
    const url = new URL(path, this.#base);
    const waited = poll === undefined ? {} : { wait: poll / SECOND };
    for (const [name, value] of Object.entries({ ...query, ...waited })) {
      if (value !== undefined) url.searchParams.set(name, decimalText(value));
    }
    return url.href;
  }
}

/** A mesh reads decimal digits, and `String` writes `1e-7` for a number below 0.000001. */
const decimalText = (value: string | number): string =>
  typeof value === "number" && Math.abs(value) < 1e-6 ? value.toFixed(20) : String(value);

function contentOf({ body, content }: ApiRequest) {
  if (content !== undefined || body === undefined) return content;
  return { type: "application/json", bytes: writeJson(body) };
}

/** The error of an unsuccessful response: from its problem document, or else from its status. */
async function apiErrorOf(response: Response, base: string): Promise<MusterApiError> {
  const { status } = response;
  const body = await boundedJson(response, PROBLEM_BYTES_MAX).catch((error: unknown) => {
    if (isTooLarge(error)) return undefined;
    throw error;
  });
  const problem = readShape(ProblemView, body);
  if (!problem.ok) {
    const detail = `${base} is no Muster mesh: it answers with HTTP ${status} and without a problem document`;
    return new MusterApiError("invalid_response", status, detail, {
      retryAfter: headerSeconds(response),
    });
  }
  const { code, detail, retry_after, issues = [] } = problem.value;
  return new MusterApiError(code, status, withIssues(detail, issues), {
    retryAfter: retry_after ?? headerSeconds(response),
    helpUrl: isErrorCode(code) ? new URL(`.${TROUBLESHOOTING_PATH}/${code}`, base).href : undefined,
  });
}

/** The detail and the issues, each text once: a detail may name its issues already, or be the message of one. */
function withIssues(
  detail: string,
  issues: readonly { readonly path: string; readonly message: string }[],
): string {
  const texts = issues
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .filter((text, index, all) => !detail.includes(text) && all.indexOf(text) === index);
  if (texts.length === 0) return detail;
  const isRepeated = issues.some(({ message }) => message === detail);
  return isRepeated ? texts.join("; ") : `${detail} (${texts.join("; ")})`;
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof MusterApiError && error.code === "invalid_response";

/** The `Retry-After` header, in seconds. */
const headerSeconds = ({ headers }: Response): number | undefined =>
  readRetryAfter(headers, Date.now()) ?? undefined;
