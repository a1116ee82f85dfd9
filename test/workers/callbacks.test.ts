import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import { call, placesOf, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const give = (callback: object, token?: string) =>
  call<TaskView>("POST", "/v1/tasks", {
    json: { kind: "test", callback },
    ...(token !== undefined && { token }),
  });

const controllerToken = async (): Promise<string> =>
  (await call<{ token: string }>("POST", "/v1/tokens", { json: { scope: "controller" } })).body
    .token;

describe("a task's callback", () => {
  it("CB3 is accepted with the task, and shown in it", async () => {
    const { status, body } = await give({ url: "https://EXAMPLE.com:443/hook#part" });
    expect([status, body.callback]).toEqual([
      202,
      { url: "https://example.com/hook", state: "waiting", next_at: null, attempts: [] },
    ]);
    const { body: bare } = await call<TaskView>("POST", "/v1/tasks", { json: { kind: "test" } });
    expect(bare.callback).toBeNull();
  });

  it.each([
    [{ url: "http://[::ffff:127.0.0.1]/" }, ["callback.url"]],
    [{ url: "https://example.com/", secret: "short" }, ["callback.secret"]],
    [{ url: "https://example.com/", secret: "x".repeat(41) }, ["callback.secret"]],
    [{ url: "" }, ["callback.url"]],
    [{}, ["callback.url"]],
    ["https://example.com/", ["callback"]],
  ])("CB3 is refused if its URL may not be called: %j", async (callback, places) => {
    expect(placesOf(await give(callback as object))).toEqual(places);
  });

  it("CB2 may have a loopback URL only if the configuration allows it", async () => {
    expect(placesOf(await give({ url: "http://localhost:9000/" }))).toEqual(["callback.url"]);
  });

  it("CB5 is signed with a secret that is shown only to its token, and is always the same", async () => {
    const [one, two] = [await controllerToken(), await controllerToken()];
    const secretOf = async (token?: string) =>
      (await call("GET", "/v1/callback-secret", token === undefined ? {} : { token })).body[
        "secret"
      ];
    const secrets = [await secretOf(), await secretOf(one), await secretOf(two)];
    expect(new Set(secrets).size).toBe(3);
    expect(await secretOf(one)).toBe(secrets[1]);
    const viewer = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "viewer" },
    });
    const { token } = viewer.body;
    problemOf(await call("GET", "/v1/callback-secret", { token }), "forbidden");
  });

  it("CB10 is delivered again on request of its controller, but not of another", async () => {
    const [mine, other] = [await controllerToken(), await controllerToken()];
    const { body } = await give({ url: "https://example.invalid/" }, mine);
    const repeat = (token: string) => call("POST", `/v1/tasks/${body.id}/callback`, { token });
    problemOf(await repeat(mine), "conflict");
    problemOf(await repeat(other), "not_found");
    const { body: bare } = await call<TaskView>("POST", "/v1/tasks", { json: { kind: "test" } });
    problemOf(await call("POST", `/v1/tasks/${bare.id}/callback`), "not_found");
  });
});
