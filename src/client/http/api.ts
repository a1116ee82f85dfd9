import type { z } from "zod";
import type { Bytes } from "../../base/bytes.ts";
import type { Millis, Random } from "../../base/clock.ts";
import { firstIssue } from "../../protocol/envelope.ts";
import { ProblemView } from "../../protocol/http.ts";
import { MusterApiError } from "../errors.ts";
import { withRetries } from "./request-retry.ts";
import { REQUEST_TIMEOUT } from "../timings.ts";
import { apiBase } from "../urls.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ApiOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: Fetch;
  readonly random: Random;
}

export interface ApiRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the mesh's base URL, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead. */
  readonly content?: { readonly type: string; readonly bytes: Bytes };
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether doing it twice is the same as once. Default: GET and PUT. */
  readonly idempotent?: boolean;
  /** What the mesh was asked to wait before it answers. */
  readonly wait?: Millis;
  /** How long it may take beyond that. */
  readonly timeout?: Millis;
  readonly signal?: AbortSignal | undefined;
}

/** One segment of a path, escaped: an ID from the caller can't change the path. */
export const segment = (text: string): string => encodeURIComponent(text);

/** The mesh's HTTP API: one request to a checked answer, or a `MusterApiError`. */
export class Api {
  readonly #options: ApiOptions;
  readonly #base: string;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#base = apiBase(options.url);
  }

  /** The answer's JSON, as `schema` says. */
  async json<S extends z.ZodType>(schema: S, request: ApiRequest): Promise<z.output<S>> {
    const response = await this.response(request);
    const body: unknown = await response.json().catch(() => undefined);
    const answer = schema.safeParse(body);
    if (answer.success) return answer.data;
    const detail = `${request.path}: ${firstIssue(answer.error)}`;
    throw new MusterApiError("invalid_response", response.status, detail);
  }

  /** The answer to a request that succeeds without a body of JSON. */
  response(request: ApiRequest): Promise<Response> {
    const { method = "GET", idempotent = method === "GET" || method === "PUT" } = request;
    const once = () => this.#once(method, request);
    return idempotent ? withRetries(once, this.#options.random, request.signal) : once();
  }

  async #once(method: string, request: ApiRequest): Promise<Response> {
    const response = await this.#fetch(method, request);
    if (response.ok) return response;
    throw await apiErrorOf(response);
  }

  async #fetch(method: string, request: ApiRequest): Promise<Response> {
    const { token, fetch } = this.#options;
    const { wait = 0, timeout: allowed = REQUEST_TIMEOUT } = request;
    const timeout = AbortSignal.timeout(allowed + wait);
    const content = contentOf(request);
    const init: RequestInit = {
      method,
      headers: {
        accept: "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(content !== undefined && { "content-type": content.type }),
        ...request.headers,
      },
      // A redirect would carry the token to wherever it points; the API has none.
      redirect: "manual",
      signal: request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]),
      ...(content !== undefined && { body: content.bytes }),
    };
    try {
      return await fetch(this.#url(request), init);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new MusterApiError("unreachable", 0, `${this.#base} does not answer`, { cause: error });
    }
  }

  #url({ path, query = {} }: ApiRequest): string {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url.href;
  }
}

function contentOf({ body, content }: ApiRequest) {
  if (content !== undefined || body === undefined) return content;
  return { type: "application/json", bytes: JSON.stringify(body) };
}

/** The error of an answer that is none of success: the problem document's, or what the status tells. */
async function apiErrorOf(response: Response): Promise<MusterApiError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const problem = ProblemView.safeParse(body);
  if (!problem.success) {
    const detail = `HTTP ${status}, not from a mesh's API`;
    return new MusterApiError("invalid_response", status, detail, {
      retryAfter: headerSeconds(response),
    });
  }
  const { code, detail, retry_after, issues = [] } = problem.data;
  const places = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return new MusterApiError(code, status, places === "" ? detail : `${detail} (${places})`, {
    retryAfter: retry_after ?? headerSeconds(response),
  });
}

/** `Retry-After` in seconds; its other form, a date, is not used by the mesh. */
function headerSeconds(response: Response): number | undefined {
  const text = response.headers.get("retry-after");
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}
