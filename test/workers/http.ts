import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { Env } from "../../durable/env.ts";
import type { ErrorCode, MusterError } from "../../src/protocol/errors.ts";
import { toProblem } from "../../src/protocol/errors.ts";
import { createApp } from "../../workers/app.ts";
import { TOKEN } from "../durable/api.ts";
import { description, operationAt } from "./description.ts";
import { schemaFaults } from "./schema-faults.ts";

export interface Call {
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged. */
  readonly raw?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null for none; default: the operator's token. */
  readonly token?: string | null;
  /** What the platform reports about the connection; outside of Cloudflare workerd reports the socket's address. */
  readonly cf?: { readonly clientIp?: string };
}

export interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

export interface ProblemBody {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly retry_after?: number;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

export const ORIGIN = "http://mesh.test";

function requestOf(method: string, path: string, options: Call = {}): Request {
  const { json, raw, token = TOKEN } = options;
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  return new Request(`${ORIGIN}${path}`, {
    method,
    ...(options.cf !== undefined && { cf: options.cf }),
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(json !== undefined && { "Content-Type": "application/json" }),
      ...options.headers,
    },
    ...(body !== undefined && { body }),
  });
}

/** Sends a request to the mesh and checks everything that holds for every answer. */
export async function call<T = Record<string, unknown>>(
  method: string,
  path: string,
  options: Call = {},
): Promise<Reply<T>> {
  const response = await exports.default.fetch(requestOf(method, path, options));
  return replyOf<T>(method, path, response);
}

/** One isolate of a gateway with changed bindings or variables, which keeps what it remembers between requests. */
export function gatewayWith(changed: object) {
  const app = createApp();
  const bindings = { ...env, ...changed } as unknown as Env;
  return async <T = Record<string, unknown>>(
    method: string,
    path: string,
    options: Call = {},
  ): Promise<Reply<T>> => {
    const request = requestOf(method, path, options);
    return replyOf<T>(method, path, await app.fetch(request, bindings, createExecutionContext()));
  };
}

/** Sends a request to a mesh with changed bindings or variables. */
export async function callWith<T = Record<string, unknown>>(
  changed: object,
  method: string,
  path: string,
  options: Call = {},
): Promise<Reply<T>> {
  const bindings = { ...env, ...changed } as unknown as Env;
  const request = requestOf(method, path, options);
  const response = await createApp().fetch(request, bindings, createExecutionContext());
  return replyOf<T>(method, path, response);
}

/** A body of chunks, without Content-Length. */
export const streamOf = (...chunks: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

/** No answer may contain these: the test mesh's private keys and its token. */
const SECRETS = [TOKEN, "11".repeat(32), "22".repeat(32), "33".repeat(32)];
const SAFE_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

async function replyOf<T>(method: string, path: string, response: Response): Promise<Reply<T>> {
  const { status, headers } = response;
  const text = await response.text();
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  if (status !== 101) expect(Object.fromEntries(headers)).toMatchObject(SAFE_HEADERS);
  const json = (headers.get("Content-Type") ?? "").includes("json");
  const body = (json && text !== "" ? JSON.parse(text) : null) as T;
  await expectDescribed(method, path, { status, headers, text, body });
  if (status >= 400) expectProblemForm({ method, status, headers, text, body });
  return { status, headers, text, body };
}

/** Status, error code and body are described by the request's operation; a path or method that does not exist has none. */
async function expectDescribed(
  method: string,
  path: string,
  { status, headers, body }: Reply<unknown>,
): Promise<void> {
  const operation = await operationAt(method, path);
  if (operation === null)
    expect(method === "OPTIONS" ? [204, 404, 429] : [403, 404, 405]).toContain(status);
  else {
    const described = operation.responses[String(status)];
    expect([operation.operationId, status, described]).not.toContain(undefined);
    const type = headers.get("Content-Type") ?? "";
    if (body === null || type === "") return;
    const media = described?.content?.[type.split(";")[0] ?? ""];
    expect([operation.operationId, status, type, media]).not.toContain(undefined);
    if (media === undefined) return;
    expect(schemaFaults(media.schema, body, await description())).toEqual([]);
    if (status >= 400)
      expect([operation.operationId, Object.keys(media.examples ?? {})]).toEqual([
        operation.operationId,
        expect.arrayContaining([(body as ProblemBody).code]),
      ]);
  }
}

interface Failure {
  readonly method: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

function expectProblemForm({ method, status, headers, text, body }: Failure): void {
  expect(headers.get("Content-Type")).toBe("application/problem+json");
  expect(text).not.toMatch(/\n\s*at |\.[mc]?[jt]s\b|node_modules|TypeError|ZodError/);
  if (method === "HEAD") return expect(text).toBe("");
  const { code, detail } = body as ProblemBody;
  // Throws for a code that is not in the table.
  const { type, title, status: listed } = toProblem({ code, detail } as MusterError);
  expect(body).toMatchObject({ type, title, status: listed });
  expect(status).toBe(listed);
  expect(detail).not.toBe("");
  if (status === 401 && code === "unauthorized") {
    expect(headers.get("WWW-Authenticate")).toContain("Bearer");
  }
}

/** Checks that an answer is this error, and returns its problem document. */
export function problemOf(reply: Reply<unknown>, code: ErrorCode): ProblemBody {
  expect(reply).toMatchObject({ body: { code } });
  return reply.body as ProblemBody;
}

/** The paths of the issues in the answer to a refused request. */
export const placesOf = (reply: Reply<unknown>): readonly string[] => [
  ...new Set(problemOf(reply, "invalid_request").issues?.map(({ path }) => path)),
];
