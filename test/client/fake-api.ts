import type { Fetch } from "../../src/client/http/api.ts";
import { controller } from "../../src/client/clients/mesh-client.ts";

interface RecordedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A mesh's API that returns the prepared answers in order, the last one repeatedly, and records the requests. */
export function api(...answers: (() => Response)[]) {
  const requests: RecordedRequest[] = [];
  const fetch: Fetch = (url, init) => {
    requests.push({
      url: new URL(url),
      method: init.method ?? "GET",
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    });
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    if (answer === undefined) throw new Error("no answer prepared");
    return new Promise((resolve) => resolve(answer()));
  };
  return { requests, mesh: controller({ url: "http://mesh.test/base", token: "secret", fetch }) };
}

export const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status });
export const problem =
  (status: number, code: string, more: object = {}) =>
  () =>
    Response.json(
      { type: `/troubleshooting/${code}`, title: "t", status, code, detail: "the detail", ...more },
      { status, headers: { "content-type": "application/problem+json" } },
    );
export const html = () => new Response("<html>", { status: 502 });
export const noNetwork = (): never => {
  throw new TypeError("fetch failed");
};

export const ID = "00000000-0000-4000-8000-000000000001";
export const task = (state: string, more: object = {}) => ({
  id: ID,
  kind: "sum",
  payload: null,
  state,
  source: "api",
  requirements: { capabilities: [] },
  priority: 0,
  not_before: "2026-01-01T00:00:00.000Z",
  backoff: { first_seconds: 0.5, max_seconds: 60 },
  created_at: "2026-01-01T00:00:00Z",
  deadline_at: "2026-01-01T01:00:00Z",
  ended_at: null,
  max_attempts: 3,
  lease_seconds: 60,
  peer_id: null,
  progress: null,
  message: null,
  result: null,
  error: null,
  attempts: [],
  callback: null,
  ...more,
});
