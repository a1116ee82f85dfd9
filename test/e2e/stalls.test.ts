import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partition, stoppedWorker, type StalledMesh } from "../../bench/field/stalls.ts";
import { controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

function stalledMesh(): StalledMesh {
  const { url, meshKey, adminToken: token } = started.mesh;
  const mesh = controller({ url, token });
  return {
    url,
    meshKey,
    submit: (leaseSeconds, kind) => mesh.tasks.submit(kind, null, { leaseSeconds }),
    get: (id) => mesh.tasks.get(id),
  };
}

describe("begun work", () => {
  test("AS63 of a worker that was stopped longer than its lease is done once, by that worker", async () => {
    const stall = { stallMs: 9_000, leaseSeconds: 1, serviceMs: 1_000 };
    const done = await stoppedWorker(stalledMesh(), stall);
    expect(done).toMatchObject({ tasks: 1, succeeded: 1, runs: 1 });
  });

  test("AS63 of peers whose links all stalled longer than their leases is done once, each by its peer", async () => {
    // A busy machine delays renewals by seconds: the lease must not run out before the links stall.
    const stall = { stallMs: 18_000, leaseSeconds: 6, serviceMs: 6_000 };
    const port = Number(new URL(started.mesh.url).port);
    const done = await partition(stalledMesh(), port, stall);
    expect(done).toMatchObject({ tasks: 3, succeeded: 3, runs: 3 });
  });
});
