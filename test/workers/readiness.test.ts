import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { ok } from "../../src/base/result.ts";
import { createApp } from "../../workers/app.ts";
import { diskShortage } from "../../src/base/disk-shortage.ts";
import { Readiness } from "../../workers/readiness.ts";

it("SV21 the coordinator is asked at most once a second, whoever asks, and again after that", async () => {
  const readiness = new Readiness();
  let calls = 0;
  const call = () => {
    calls++;
    return Promise.resolve(ok({}));
  };
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

const disk = (answer: () => Promise<Response>) => ({ fetch: answer }) as unknown as Fetcher;

it("SV23 the mesh is not ready while its disk lacks room, and says what it lacks", async () => {
  const app = createApp();
  const ready = async (shortage: string | null) => {
    const DISK = disk(async () => Response.json({ shortage }));
    return createApp().request("http://mesh.test/readyz", {}, { ...env, DISK });
  };
  // On a busy machine the first start of a coordinator may take longer than a probe waits.
  await vi.waitFor(
    async () => expect((await app.request("http://mesh.test/readyz", {}, env)).status).toBe(200),
    { timeout: 60_000, interval: 500 },
  );
  expect((await ready(null)).status).toBe(200);
  const full = await ready("0 MB are free, a mesh needs 16");
  expect(full.status).toBe(503);
  expect(await full.json()).toMatchObject({
    code: "unavailable",
    detail: expect.stringMatching(/^the disk of the mesh is full: 0 MB are free/),
  });
});

it.each([
  ["does not answer", () => Promise.reject(new Error("no host"))],
  ["answers with an error", async () => new Response("no", { status: 500 })],
  ["answers something else", async () => Response.json({ shortage: 5 })],
])("SV23 a host that %s does not make the mesh unready", async (_, answer) => {
  expect(await diskShortage(disk(answer))).toBeNull();
});
