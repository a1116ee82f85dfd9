import { describe, expect, test } from "vitest";
import { api, json, problem, task, ID } from "./fake-api.ts";

describe("tasks.retry", () => {
  test("AS80 sends only the options that are given, and is repeated until it is answered", async () => {
    const { mesh, requests } = api(problem(503, "unavailable"), json(task("queued")));
    await mesh.tasks.retry(ID, { maxAttempts: 3 });
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      `POST /base/v1/tasks/${ID}/retry`,
      `POST /base/v1/tasks/${ID}/retry`,
    ]);
    expect(requests[1]?.body).toEqual({ max_attempts: 3 });
  });
});
