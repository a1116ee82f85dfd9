import { reset } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import type { z } from "zod";
import type { NewTokenView, TokenList } from "../../src/protocol/http.ts";
import { call, placesOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

it("AD63 AD64 AD65 a token's expiry and last use are set and shown over HTTP", async () => {
  const { body } = await call<z.output<typeof NewTokenView>>("POST", "/v1/tokens", {
    json: { scope: "controller", label: "nightly", expires_seconds: 3_600 },
  });
  expect(Date.parse(String(body.expires_at)) - Date.parse(body.created_at)).toBe(3_600_000);
  expect(body).toMatchObject({ state: "active", last_used_at: null });
  expect((await call("GET", "/v1/tasks", { token: body.token })).status).toBe(200);
  const listed = async (query: string) =>
    (await call<z.output<typeof TokenList>>("GET", `/v1/tokens?${query}`)).body.tokens.map(
      ({ id, last_used_at: at }) => [id, at !== null],
    );
  expect(await listed("label=NIGHT&scope=controller&state=active&limit=1")).toEqual([
    [body.id, true],
  ]);
  expect(await listed("label=NIGHT&state=expired")).toEqual([]);
  for (const expires_seconds of [0, -1, 315_360_001, "1"])
    expect(
      placesOf(await call("POST", "/v1/tokens", { json: { scope: "viewer", expires_seconds } })),
    ).toEqual(["expires_seconds"]);
  for (const query of ["scope=king", "state=lost", "label=", "limit=0"])
    expect(placesOf(await call("GET", `/v1/tokens?${query}`))).toEqual([query.split("=")[0]]);
});
