import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { controller } from "../../src/client/clients/mesh-client.ts";
import type { Fetch } from "../../src/client/http/api.ts";

const ID = "5e".repeat(16);
const COMMITTED = { id: ID, state: "committed", parts: 3, state_hash: "ab".repeat(32) };
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A mesh whose coordinator is busy with the commit, as the gateway says it after a minute, until `readyAt`. */
function busyMesh(readyAt: number) {
  const requests: string[] = [];
  const fetch: Fetch = async (url, { method }) => {
    requests.push(`${method} ${new URL(url).pathname}`);
    if (Date.now() >= readyAt) return Response.json(COMMITTED);
    await new Promise((resolve) => setTimeout(resolve, requests.length === 1 ? MINUTE : 10_000));
    const body = {
      type: "/troubleshooting/unavailable",
      title: "Not available",
      status: 503,
      code: "unavailable",
      detail: "the coordinator does not answer; try again",
      retry_after: 2,
    };
    return Response.json(body, { status: 503, headers: { "retry-after": "2" } });
  };
  const { settings } = controller({ url: "http://mesh.test", token: "t", fetch });
  return { settings, requests };
}

test("BK39 a commit that takes the mesh minutes is asked for again until it is done", async () => {
  const { settings, requests } = busyMesh(Date.now() + 4 * MINUTE);
  const committed = settings.commitImport(ID, 3);
  // The shape of the answer is loaded when it is needed first, which takes real time.
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(await committed).toEqual(COMMITTED);
  expect(requests.length).toBeGreaterThan(5);
  expect(new Set(requests)).toEqual(new Set([`POST /v1/imports/${ID}/commit`]));
});

test("BK39 a mesh that stays silent ends the call after 5 minutes, with what it said", async () => {
  const { settings } = busyMesh(Number.POSITIVE_INFINITY);
  const committed = settings.commitImport(ID, 3).catch((error: unknown) => error);
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(await committed).toMatchObject({ code: "unavailable", status: 503 });
});
