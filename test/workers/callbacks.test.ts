import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { CallbackSecretView, TaskView } from "../../src/protocol/http.ts";
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

  it("CB10 is delivered again on request of its controller, but not of another", async () => {
    const [mine, other] = [await controllerToken(), await controllerToken()];
    const { body } = await give({ url: "https://one.example/" }, mine);
    const repeat = (token: string) => call("POST", `/v1/tasks/${body.id}/callback`, { token });
    problemOf(await repeat(mine), "conflict");
    problemOf(await repeat(other), "not_found");
    const { body: bare } = await call<TaskView>("POST", "/v1/tasks", { json: { kind: "test" } });
    problemOf(await call("POST", `/v1/tasks/${bare.id}/callback`), "not_found");
  });
});

const URL_1 = "https://one.example/hook";
const secretOf = (query: Record<string, string>, token?: string) =>
  call<CallbackSecretView>("GET", `/v1/callback-secret?${new URLSearchParams(query).toString()}`, {
    ...(token !== undefined && { token }),
  });

describe("the secret that signs callbacks", () => {
  it("CB30 differs for each token and each origin, and is always the same", async () => {
    const tokens = [undefined, await controllerToken(), await controllerToken()];
    const secrets: string[] = [];
    for (const token of tokens)
      for (const url of [URL_1, "https://two.example/hook", "http://one.example/"]) {
        const { body } = await secretOf({ url }, token);
        expect(body).toMatchObject({ origin: new URL(url).origin, version: 1, previous: null });
        expect((await secretOf({ url: `${new URL(url).origin}/other?x=1` }, token)).body).toEqual(
          body,
        );
        secrets.push(body.secret);
      }
    expect(new Set(secrets).size).toBe(secrets.length);
  });

  it("CB32 of another owner is shown to and rotated by administrators only", async () => {
    const [one, two] = [await controllerToken(), await controllerToken()];
    const { owner, secret } = (await secretOf({ url: URL_1 }, one)).body;
    expect((await secretOf({ url: URL_1, owner })).body.secret).toBe(secret);
    expect((await secretOf({ url: URL_1, owner }, one)).body.secret).toBe(secret);
    problemOf(await secretOf({ url: URL_1, owner }, two), "forbidden");
    problemOf(await secretOf({ url: URL_1, owner: "admin" }, one), "forbidden");
    for (const act of ["rotate", "end-previous"]) {
      const path = `/v1/callback-secret/${act}`;
      problemOf(await call("POST", path, { json: { url: URL_1, owner }, token: two }), "forbidden");
    }
    const viewer = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "viewer" },
    });
    problemOf(await secretOf({ url: URL_1 }, viewer.body.token), "forbidden");
    problemOf(await secretOf({ url: URL_1, owner: "0".repeat(16) }), "not_found");
  });

  it("CB31 is replaced over HTTP, with an overlap of a day unless the call says otherwise", async () => {
    const token = await controllerToken();
    const post = (act: string, json: object) =>
      call<CallbackSecretView>("POST", `/v1/callback-secret/${act}`, { json, token });
    const before = (await secretOf({ url: URL_1 }, token)).body;
    const { body: after } = await post("rotate", { url: URL_1 });
    expect(after).toMatchObject({ version: 2, previous: { secret: before.secret } });
    expect(after.secret).not.toBe(before.secret);
    const overlap = Date.parse(after.previous?.ends_at ?? "") - Date.parse(after.rotated_at ?? "");
    expect(overlap).toBe(86_400_000);
    expect((await post("end-previous", { url: URL_1 })).body).toEqual({ ...after, previous: null });
    const { body: third } = await post("rotate", { url: URL_1, overlap_seconds: 0 });
    expect(third).toMatchObject({ version: 3, previous: null });
  });

  it.each([
    [{}, ["url"]],
    [{ url: "http://127.0.0.1/" }, ["url"]],
    [{ url: "one.example" }, ["url"]],
    [{ url: URL_1, overlap_seconds: -1 }, ["overlap_seconds"]],
    [{ url: URL_1, overlap_seconds: 604_801 }, ["overlap_seconds"]],
    [{ url: URL_1, owner: "somebody" }, ["owner"]],
    [{ url: URL_1, overlap: 5 }, ["overlap"]],
  ])("CB31 a rotation that is not valid is refused: %j", async (json, places) => {
    expect(placesOf(await call("POST", "/v1/callback-secret/rotate", { json }))).toEqual(places);
  });
});
