import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { task } from "./fake-api.ts";

/** How an answer fails. `answer` is the one that the mesh would have given. */
export type Failure = (response: ServerResponse, answer: string) => void;

const head = (lines: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${lines}\r\n`;
const half = (text: string): string => text.slice(0, Math.ceil(text.length / 2));

/** Writes to the socket itself, and ends it. */
const raw =
  (write: (answer: string) => string): Failure =>
  (response, answer) =>
    void response.socket?.end(write(answer));

const status =
  (code: number, body: string, headers: Readonly<Record<string, string>> = {}): Failure =>
  (response) =>
    void response.writeHead(code, headers).end(body);

const problem = (code: string) =>
  status(503, JSON.stringify({ type: "", title: "t", status: 503, code, detail: "the detail" }), {
    "content-type": "application/problem+json",
  });

/** Every way in which a mesh does not answer, by the moment. */
export const FAILURES: Readonly<Record<string, Failure>> = {
  "the connection is reset before the head": ({ socket }) => void socket?.resetAndDestroy(),
  "the connection is closed before the head": raw(() => ""),
  "the head is cut": raw(() => "HTTP/1.1 200 OK\r\ncontent-ty"),
  "the body is missing": raw((answer) => head(`content-length: ${answer.length}\r\n`)),
  "the body is cut before its length": raw(
    (answer) => `${head(`content-length: ${answer.length}\r\n`)}${half(answer)}`,
  ),
  "a chunk is cut": raw(
    (answer) =>
      `${head("transfer-encoding: chunked\r\n")}${answer.length.toString(16)}\r\n${half(answer)}`,
  ),
  "the body ends early, as if it were whole": raw(
    (answer) => `${head("connection: close\r\n")}${half(answer)}`,
  ),
  "a proxy answers 502": status(502, "<html>bad gateway</html>"),
  "a proxy answers 502 without a body": status(502, ""),
  "a proxy answers 503": status(503, "<html>try again</html>"),
  "a proxy answers 504": status(504, "<html>timeout</html>"),
  "a proxy cuts its 502": raw(
    () => "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 100\r\n\r\n<html>",
  ),
  "Cloudflare answers 521": status(521, "web server is down"),
  "the mesh is restarting": problem("mesh_restarting"),
  "the mesh is unavailable": problem("unavailable"),
};

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
}

const LARGE = JSON.stringify("x".repeat(200_000));
export const LARGE_RESULT = JSON.parse(LARGE) as string;

/** A server that keeps tasks by their idempotency keys like a mesh, and answers some requests by a failure. */
export class UnreliableMesh {
  readonly requests: SeenRequest[] = [];
  /** The IDs of tasks by the idempotency keys that made them. */
  readonly tasks = new Map<string, string>();
  /** What the next answers are; null for an ordinary one. Without one every answer is an ordinary one. */
  readonly script: (Failure | null)[] = [];
  /** How all answers to these fail from now on. */
  always: Failure | null = null;
  readonly #states = new Map<string, number>();
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections until it listens again. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    for await (const _ of request); // the whole body
    const key = headers["idempotency-key"];
    const { pathname } = new URL(url, this.url);
    if (pathname === "/v1/events") {
      // It has no streams: what the test scripts are the answers about tasks.
      response.writeHead(404).end();
      return;
    }
    this.requests.push({ method, path: pathname, key: key === undefined ? key : String(key) });
    // What fails is the answer: the mesh has done what it was asked.
    const answer = this.#bodyOf(method, pathname, String(key));
    const failure = this.always ?? this.script.shift() ?? null;
    if (failure !== null) failure(response, answer);
    else {
      const digest = createHash("sha256").update(answer).digest("base64");
      response
        .writeHead(200, {
          "content-type": "application/json",
          "content-digest": `sha-256=:${digest}:`,
        })
        .end(answer);
    }
  }

  /** A task needs three looks to end, and then has a result that must be fetched. */
  #bodyOf(method: string, path: string, key: string): string {
    if (path.endsWith("/result")) return LARGE;
    if (method === "POST" && path === "/v1/tasks") {
      const id = this.tasks.get(key) ?? crypto.randomUUID();
      this.tasks.set(key, id);
      return JSON.stringify({ ...task("queued"), id });
    }
    const id = path.split("/")[3] ?? "";
    const looks = (this.#states.get(id) ?? 0) + 1;
    this.#states.set(id, looks);
    if (looks < 3) return JSON.stringify({ ...task("running", { progress: looks / 10 }), id });
    const url = `/v1/tasks/${id}/result`;
    return JSON.stringify({ ...task("succeeded", { result_url: url }), id });
  }
}
