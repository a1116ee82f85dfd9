import { describe, expect, test, vi } from "vitest";
import { readDecimal } from "../../src/base/number-text.ts";
import { api, json, task } from "./fake-api.ts";

describe("run", () => {
  test("returns the result of a task that succeeded", async () => {
    const { mesh } = api(json(task("queued"), 202), json(task("succeeded", { result: 3 })));
    expect(await mesh.run("sum", [1, 2])).toBe(3);
  });

  test.each(["failed", "cancelled", "expired"])(
    "throws TaskFailed for a task that %s",
    async (state) => {
      const { mesh } = api(json(task("queued"), 202), json(task(state, { error: "why" })));
      await expect(mesh.run("sum")).rejects.toMatchObject({
        name: "TaskFailed",
        code: state,
        message: expect.stringContaining("why"),
      });
    },
  );
});

describe("run over one request", () => {
  test("asks the mesh to wait with the submission, and needs no second request if the task ends in time", async () => {
    const { mesh, requests } = api(json(task("succeeded", { result: 3 }), 200));
    expect(await mesh.run("sum", [1, 2])).toBe(3);
    expect(requests.map(({ method, url }) => `${method} ${url.search}`)).toEqual(["POST ?wait=25"]);
  });

  test("waits for the task by further requests if the submission is answered before its end", async () => {
    const { mesh, requests } = api(
      json(task("running"), 202),
      json(task("running")),
      json(task("succeeded", { result: 3 })),
    );
    expect(await mesh.run("sum", [1, 2])).toBe(3);
    expect(requests.map(({ method, url }) => `${method} ${url.search}`)).toEqual([
      "POST ?wait=25",
      "GET ?wait=25",
      "GET ?wait=25",
    ]);
  });

  test("does not ask the mesh to wait longer than the caller's timeout", async () => {
    vi.useFakeTimers();
    const { mesh, requests } = api(() => {
      vi.setSystemTime(Date.now() + 2_000);
      return Response.json(task("running"), { status: 202 });
    });
    await expect(mesh.run("sum", null, { timeoutMs: 3_000 })).rejects.toMatchObject({
      code: "wait_timeout",
    });
    expect(requests.map(({ url }) => url.searchParams.get("wait"))).toEqual(["3", "1"]);
    vi.useRealTimers();
  });

  test("does not wait with a submission unless the caller asks for it", async () => {
    const { mesh, requests } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum");
    await mesh.tasks.submit("sum", null, { waitMs: 60_000 });
    expect(requests.map(({ url }) => url.search)).toEqual(["", "?wait=25"]);
  });

  test.each([
    [0.001, "0.000001"],
    [0.000_25, "0.00000025"],
    [1e-9, "0.000000000001"],
    [1.5, "0.0015"],
  ])("HT102 writes a wait of %d ms in decimal digits", async (waitMs, text) => {
    const { mesh, requests } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum", null, { waitMs });
    const sent = requests[0]?.url.searchParams.get("wait") ?? "";
    expect(readDecimal(sent)).toBe(waitMs / 1_000);
    expect(sent.replace(/0+$/, "")).toBe(text);
  });
});
