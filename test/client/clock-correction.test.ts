import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { DAY, HOUR, MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import type { Peer } from "../../src/client/peer/peer-handle.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

const YEAR = 365 * DAY;
/** How long a test may take between two readings of the clock. */
const SLOW = 50 * SECOND;

/** A peer whose clock is wrong by `wrong`, and which does not wait between its dials. */
const connect = (mesh: NoiseMesh, wrong: Millis = 0): Peer =>
  mesh.connect({
    meshKey: mesh.keys.publicKey,
    platform: { now: () => Date.now() + wrong, random: () => 0 },
  });

const disconnects = (mesh: NoiseMesh) =>
  mesh.events.filter((event) => event.type === "disconnected");

/** How far the times that the peer signed are from its own clock. */
const signedOffsets = (mesh: NoiseMesh, wrong: Millis = 0): readonly Millis[] =>
  mesh.signedTimes.map((time) => time * SECOND - (Date.now() + wrong));

/** A mesh whose clock is far off, so that it refuses every dial, and which proves these offsets from the true time, in turn. */
function refusingMesh(offsets: readonly Millis[]): NoiseMesh {
  const mesh = new NoiseMesh();
  let proofs = 0;
  mesh.clock = () => Date.now() + 100 * YEAR;
  mesh.provedClock = () => Date.now() + (offsets[proofs++ % offsets.length] as Millis);
  return mesh;
}

async function afterDisconnects(mesh: NoiseMesh, count: number): Promise<void> {
  const peer = connect(mesh);
  peer.ready.catch(() => {});
  await waitFor(() => expect(disconnects(mesh).length).toBeGreaterThanOrEqual(count));
  await peer.close();
}

describe("a peer whose clock is wrong", () => {
  test.each([2 * MINUTE, HOUR, 23.9 * HOUR, -2 * MINUTE, -HOUR, -23.9 * HOUR])(
    "RC20 by %i ms joins at once, by the time that the mesh proves, and again after each break",
    async (wrong) => {
      const mesh = new NoiseMesh();
      const peer = connect(mesh, wrong);
      await peer.ready;
      mesh.dropSocket();
      await waitFor(() => expect(mesh.admitted).toHaveLength(2));
      await waitFor(() => expect(peer.state).toBe("active"));
      expect(mesh.problemCodes).toEqual(["clock_skew", "clock_skew"]);
      expect(disconnects(mesh)).toHaveLength(1);
      await peer.close();
    },
  );

  test("RC20 joins although its first corrected dial is refused", async () => {
    const mesh = new NoiseMesh();
    mesh.clock = () => Date.now() + (mesh.signedTimes.length < 2 ? 3 : 5) * HOUR;
    const peer = connect(mesh);
    await peer.ready;
    expect(mesh.problemCodes).toEqual(["clock_skew", "clock_skew", "clock_skew"]);
    expect(disconnects(mesh)).toHaveLength(1);
    await peer.close();
  });

  test.each([25 * HOUR, -25 * HOUR, YEAR, -YEAR])(
    "RC21 by %i ms, more than a day, says so and signs its own time",
    async (wrong) => {
      const mesh = new NoiseMesh();
      const peer = connect(mesh, wrong);
      peer.ready.catch(() => {});
      await waitFor(() => expect(disconnects(mesh).length).toBeGreaterThanOrEqual(3));
      await peer.close();
      const hours = `${Math.abs(wrong) / HOUR} h ${wrong > 0 ? "ahead of" : "behind"}`;
      for (const { reason } of disconnects(mesh))
        expect(reason).toBe(`clock_skew: this machine's clock is ${hours} the mesh's; set it`);
      for (const offset of signedOffsets(mesh, wrong)) expect(Math.abs(offset)).toBeLessThan(SLOW);
    },
  );
});

describe("a server that refuses a peer's time", () => {
  const LIES: Record<string, (mesh: NoiseMesh) => void> = {
    "holds another key": (mesh) => {
      mesh.serverKeys = generateIdentity();
    },
    "changes the time that the mesh proved": (mesh) => {
      mesh.proofChange = async (honest) =>
        Response.json({ ...(await honest.json<object>()), time: "2031-01-01T00:00:00.000Z" });
    },
    "repeats a proof that was made for another caller": (mesh) => {
      const captured = generateIdentity().publicKey;
      mesh.challengeChange = () => toHex(captured);
    },
    "has no such route": (mesh) => {
      mesh.proofChange = () => new Response("not found", { status: 404 });
    },
    "answers with a redirect": (mesh) => {
      mesh.proofChange = () =>
        new Response(null, { status: 302, headers: { location: "http://evil.test/" } });
    },
    "answers with a time alone": (mesh) => {
      mesh.proofChange = () =>
        Response.json({ time: new Date(Date.now() + 3 * HOUR).toISOString() });
    },
  };

  test.each(Object.keys(LIES))("RC20 and %s corrects nothing, however often", async (lie) => {
    const mesh = new NoiseMesh();
    mesh.clock = () => Date.now() + 3 * HOUR;
    LIES[lie]?.(mesh);
    await afterDisconnects(mesh, 3);
    for (const offset of signedOffsets(mesh)) expect(Math.abs(offset)).toBeLessThan(SLOW);
    for (const { reason } of disconnects(mesh)) expect(reason).toMatch(/^clock_skew: /);
  });

  test.each([
    ["years away", [10 * YEAR, -10 * YEAR, 300 * YEAR]],
    ["23 h farther each time", [1, 2, 3, 4, 5, 6, 7, 8].map((n) => n * 23 * HOUR)],
    ["23 h back and forth", [23 * HOUR, -23 * HOUR]],
    ["the true one", [0]],
  ])(
    "RC21 and proves times %s gets no time beyond a day, and no dials without pauses",
    async (_, offsets) => {
      const mesh = refusingMesh(offsets);
      await afterDisconnects(mesh, 5);
      for (const offset of signedOffsets(mesh)) expect(Math.abs(offset)).toBeLessThan(DAY + SLOW);
      expect(mesh.signedTimes.length).toBeLessThanOrEqual(2 * disconnects(mesh).length + 2);
    },
  );

  test("RC21 and proves any times gets times by the peer's own clock, or that clock corrected once", async () => {
    const offset = fc.oneof(
      fc.integer({ min: -2 * DAY, max: 2 * DAY }),
      fc.integer({ min: -100 * YEAR, max: 100 * YEAR }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(offset, { minLength: 1, maxLength: 6 }), async (offsets) => {
        const mesh = refusingMesh(offsets);
        await afterDisconnects(mesh, 4);
        const allowed = [0, ...offsets.filter((each) => Math.abs(each) <= DAY)];
        for (const signed of signedOffsets(mesh))
          expect(allowed.some((each) => Math.abs(each - signed) < SLOW)).toBe(true);
        expect(mesh.signedTimes.length).toBeLessThanOrEqual(2 * disconnects(mesh).length + 2);
      }),
      { numRuns: 20 },
    );
  });
});
