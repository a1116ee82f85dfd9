import type { z } from "zod";
import type { Bytes } from "../../base/bytes.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import type { Millis, Random } from "../../base/clock.ts";
import type { ExactMembers } from "../../base/json-text/read-json.ts";
import { firstIssue } from "../../protocol/envelope.ts";
import { isErrorCode, TROUBLESHOOTING_PATH } from "../../protocol/errors.ts";
import { ProblemView } from "../../protocol/http.ts";
import { readRetryAfter } from "../../protocol/retry-after.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { boundedJson } from "./bounded-body.ts";
import { withRetries } from "./request-retry.ts";
import { ANSWER_BYTES_MAX, PROBLEM_BYTES_MAX, REQUEST_TIMEOUT } from "../timings.ts";
import { apiBase } from "../urls.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ApiOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: Fetch;
  readonly random: Random;
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
  /** How long the mesh may wait before it answers (long polling), in milliseconds; added to `timeout`. */
  readonly wait?: Millis;
  /** How long the answer may take, in milliseconds. */
  readonly timeout?: Millis;
  readonly signal?: AbortSignal | undefined;
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

  /** The JSON of the answer, validated by `schema`. */
  async json<S extends z.ZodType>(schema: S, request: ApiRequest): Promise<z.output<S>> {
    const response = await this.response(request);
    const answer = schema.safeParse(await boundedJson(response, ANSWER_BYTES_MAX, request.exact));
    if (answer.success) return answer.data;
    const detail = `${request.path}: ${firstIssue(answer.error)}`;
    throw new MusterApiError("invalid_response", response.status, detail);
  }

  /** The successful response itself. */
  response(request: ApiRequest): Promise<Response> {
    const { method = "GET", idempotent = method === "GET" || method === "PUT" } = request;
    const once = () => this.#once(method, request);
    return idempotent ? withRetries(once, this.#options.random, request.signal) : once();
  }

  async #once(method: string, request: ApiRequest): Promise<Response> {
    const response = await this.#fetch(method, request);
    if (response.ok) return response;
    throw await apiErrorOf(response, this.#base);
  }

  async #fetch(method: string, request: ApiRequest): Promise<Response> {
    const { token, fetch } = this.#options;
    const { wait = 0, timeout: answerTimeout = REQUEST_TIMEOUT } = request;
    const timeout = AbortSignal.timeout(answerTimeout + wait);
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
  return { type: "application/json", bytes: writeJson(body) };
}

/** The error of an unsuccessful response: from its problem document, or else from its status. */
async function apiErrorOf(response: Response, base: string): Promise<MusterApiError> {
  const { status } = response;
  const body = await boundedJson(response, PROBLEM_BYTES_MAX).catch(() => undefined);
  const problem = ProblemView.safeParse(body);
  if (!problem.success) {
    const detail = `HTTP ${status} without a problem document: the server is not a mesh's API`;
    return new MusterApiError("invalid_response", status, detail, {
      retryAfter: headerSeconds(response),
    });
  }
  const { code, detail, retry_after, issues = [] } = problem.data;
  // A detail may name its only issue already.
  const issueTexts = issues
    .map(({ path, message }) => `${path}: ${message}`)
    .filter((text) => !detail.includes(text))
    .join("; ");
  return new MusterApiError(
    code,
    status,
    issueTexts === "" ? detail : `${detail} (${issueTexts})`,
    {
      retryAfter: retry_after ?? headerSeconds(response),
      helpUrl: isErrorCode(code)
        ? new URL(`.${TROUBLESHOOTING_PATH}/${code}`, base).href
        : undefined,
    },
  );
}

/** The `Retry-After` header, in seconds. */
const headerSeconds = ({ headers }: Response): number | undefined =>
  readRetryAfter(headers, Date.now()) ?? undefined;
