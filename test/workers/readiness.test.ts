import { expect, it } from "vitest";
import { ok } from "../../src/base/result.ts";
import { Readiness } from "../../workers/readiness.ts";

it("SV21 the coordinator is asked at most once a second, whoever asks, and again after that", async () => {
  const readiness = new Readiness();
  let calls = 0;
  const call = () => Promise.resolve(ok(++calls));
  for (const now of [1_000, 1_000, 1_500, 1_999]) await readiness.ask(now, call);
  expect(calls).toBe(1);
  await readiness.ask(2_000, call);
  await readiness.ask(500, call); // a clock that was set back
  expect(calls).toBe(3);
});

it("SV21 a coordinator that does not answer makes the mesh unavailable, within seconds", async () => {
  const answer = await new Readiness().ask(0, () => new Promise(() => {}));
  expect(answer).toMatchObject({ ok: false, error: { code: "unavailable" } });
});
