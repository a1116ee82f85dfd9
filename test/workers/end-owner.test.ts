import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { NewTokenView, TaskView } from "../../src/protocol/http.ts";
import type { z } from "zod";
import { waitFor } from "../wait-for.ts";
import { call } from "./http.ts";

afterEach(async () => {
  await reset();
});

const newToken = async () =>
  (
    await call<z.infer<typeof NewTokenView>>("POST", "/v1/tokens", {
      json: { scope: "controller" },
    })
  ).body;

describe("DELETE /v1/tokens/:id", () => {
  it.each([
    ["", "cancelled"],
    ["?keep_tasks=true", "queued"],
  ])("AD20 ends the token's tasks unless keep_tasks says otherwise: %s", async (query, state) => {
    const { id, token } = await newToken();
    const submitted = await call<TaskView>("POST", "/v1/tasks", {
      token,
      json: { kind: "nobody" },
    });
    expect(submitted.body.owner).toBe(id);
    expect((await call("DELETE", `/v1/tokens/${id}${query}`)).status).toBe(204);
    const shown = await call<TaskView>("GET", `/v1/tasks/${submitted.body.id}`);
    expect(shown.body.state).toBe(state);
    expect(shown.body.error).toBe(state === "cancelled" ? "owner revoked" : null);
  });

  it("AD21 ends hundreds of tasks, the rest by itself", async () => {
    const { id, token } = await newToken();
    const tasks = Array.from({ length: 100 }, () => ({ kind: "nobody" }));
    for (let i = 0; i < 5; i++) await call("POST", "/v1/task-batches", { token, json: { tasks } });
    await call("DELETE", `/v1/tokens/${id}`);
    await waitFor(async () => {
      const query = `?owner=${id}&state=queued`;
      expect((await call("GET", `/v1/tasks${query}`)).body["tasks"]).toEqual([]);
    });
  });
});
