import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import { call, placesOf, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const submit = async (token?: string): Promise<string> => {
  const options = { json: { kind: "echo" }, ...(token !== undefined && { token }) };
  return (await call<TaskView>("POST", "/v1/tasks", options)).body.id;
};
const retry = (id: string, json: object = {}, token?: string) =>
  call<TaskView>("POST", `/v1/tasks/${id}/retry`, {
    json,
    ...(token !== undefined && { token }),
  });
const newToken = async (scope: string): Promise<string> =>
  (await call<{ token: string }>("POST", "/v1/tokens", { json: { scope } })).body.token;

describe("POST /v1/tasks/:id/retry", () => {
  it("AS80 puts a cancelled task back into the queue, once", async () => {
    const id = await submit();
    await call("DELETE", `/v1/tasks/${id}`);
    const retried = await retry(id, { max_attempts: 2, deadline_seconds: 60 });
    expect(retried).toMatchObject({
      status: 200,
      body: { id, state: "queued", retries: 1, max_attempts: 2, ended_at: null },
    });
    expect((await retry(id)).body).toEqual(retried.body);
    expect((await call("GET", `/v1/tasks/${id}`)).body).toEqual(retried.body);
  });

  it("AS80 a controller retries its own tasks only; a viewer retries none", async () => {
    const [own, other, viewer] = [
      await newToken("controller"),
      await newToken("controller"),
      await newToken("viewer"),
    ];
    const id = await submit(own);
    await call("DELETE", `/v1/tasks/${id}`, { token: own });
    problemOf(await retry(id, {}, other), "not_found");
    problemOf(await retry(id, {}, viewer), "forbidden");
    expect((await retry(id, {}, own)).body).toMatchObject({ state: "queued", retries: 1 });
  });

  it("HT3 refuses attempts and deadlines out of bounds, and says where", async () => {
    const id = await submit();
    const wrong = await retry(id, { max_attempts: 0, deadline_seconds: -1 });
    expect(placesOf(wrong)).toEqual(["max_attempts", "deadline_seconds"]);
    problemOf(await retry(id, { max_attempts: 21 }), "invalid_request");
    problemOf(await retry(crypto.randomUUID()), "not_found");
  });
});
