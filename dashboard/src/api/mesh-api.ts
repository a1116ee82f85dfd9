/** Requests to the HTTP API of the mesh that served the page. */
import { ApiError } from "./api-error.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Query = Readonly<Record<string, string | number | undefined>>;

interface Asked {
  readonly query?: Query;
  readonly json?: unknown;
  /** A body that is JSON already. */
  readonly text?: string;
  /** Requests with the same key have their effect once. */
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether the answer goes on until `signal` ends it. */
  readonly endless?: boolean;
}

/** How long the page waits for an answer. */
const TIMEOUT_MS = 30_000;
const STREAM = "text/event-stream";

export class MeshApi {
  readonly #token: string;
  readonly #onUnauthorized: (detail: string) => void;

  /** `onUnauthorized` is called when the mesh does not accept the token any more. */
  constructor(token: string, onUnauthorized: (detail: string) => void) {
    this.#token = token;
    this.#onUnauthorized = onUnauthorized;
  }

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return JSON.parse(await this.text("GET", path, { query, signal: signal as AbortSignal })) as T;
  }

  /** Sends a request, and returns its answer; undefined if that is empty. */
  async send<T>(method: Method, path: string, asked: Asked = {}): Promise<T> {
    const text = await this.text(method, path, asked);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** The answer as it came, for values whose text must stay the same. */
  async text(method: Method, path: string, asked: Asked = {}): Promise<string> {
    const answer = await this.#fetch(method, path, asked);
    if (answer.ok) return answer.text();
    throw await this.#errorOf(answer);
  }

  /** Opens a stream of server-sent events after a position, or from now on; `signal` ends it. */
  async stream(
    path: string,
    query: Query,
    after: string | null,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: STREAM, ...(after !== null && { "Last-Event-ID": after }) };
    const answer = await this.#fetch("GET", path, { query, headers, signal, endless: true });
    if (!answer.ok) throw await this.#errorOf(answer);
    if (answer.headers.get("Content-Type")?.startsWith(STREAM) === true && answer.body !== null)
      return answer.body;
    throw new ApiError(answer.status, "no_stream", "the answer is no stream of events");
  }

  async #errorOf(answer: Response): Promise<ApiError> {
    const error = errorOf(answer.status, await answer.text());
    if (error.status === 401) this.#onUnauthorized(error.message);
    return error;
  }

  async #fetch(method: Method, path: string, asked: Asked): Promise<Response> {
    const { query = {}, json, signal, idempotencyKey, endless = false } = asked;
    const body = asked.text ?? (json === undefined ? undefined : JSON.stringify(json));
    const ends = [
      ...(signal ? [signal] : []),
      ...(endless ? [] : [AbortSignal.timeout(TIMEOUT_MS)]),
    ];
    try {
      return await fetch(`${path}${queryText(query)}`, {
        method,
        headers: {
          Authorization: `Bearer ${this.#token}`,
          ...asked.headers,
          ...(body !== undefined && { "Content-Type": "application/json" }),
          ...(idempotencyKey !== undefined && { "Idempotency-Key": idempotencyKey }),
        },
        ...(body !== undefined && { body }),
        signal: AbortSignal.any(ends),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new ApiError(0, "no_answer", "the mesh does not answer");
    }
  }
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

interface Problem {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

/** A proxy in front of the mesh may answer without a problem document. */
export function errorOf(status: number, text: string): ApiError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // The status says it.
  }
  const { code, detail, issues = [] } = problem;
  const places = issues.map(({ path, message }) => `${path}: ${message}`);
  const text_ = [typeof detail === "string" ? detail : `status ${status}`, ...places].join("; ");
  return new ApiError(status, typeof code === "string" ? code : `http_${status}`, text_);
}
