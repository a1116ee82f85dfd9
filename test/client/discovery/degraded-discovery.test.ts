import * as fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HOUR, MINUTE } from "../../../src/base/clock.ts";
import {
  DiscoveryIncomplete,
  DiscoveryReader,
  type Discovered,
  type DiscoveryKeys,
  type DiscoverOptions,
} from "../../../src/client/index.ts";
import type { PointerList } from "../../../src/protocol/http.ts";
import { KEYS, testKey } from "../../coordinator/mesh.ts";
import { ReplicatedMesh } from "../../discovery/replicated-mesh.ts";
import { present } from "../../must.ts";
import { FALSE_POINTERS, HONEST, HOSTILE, sourcesOf, urlsOf } from "./hostile-sources.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const [A, B, C] = KEYS;
type Behavior = typeof HONEST;

let scene: ReplicatedMesh;
let older: PointerList;
let keys: DiscoveryKeys;
beforeAll(async () => {
  scene = await ReplicatedMesh.withPeers(A, B);
  older = scene.mesh.listPointers({});
  scene.mesh.join(C);
  await scene.replicateAll();
  keys = scene.mesh.discoveryKeys();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: scene.mesh.now });
});
afterEach(() => {
  vi.useRealTimers();
});

const ALL = [A.id, B.id, C.id].toSorted();
const readerOf = async (behaviors: readonly Behavior[], more: { maxAgeMs?: number } = {}) => {
  const { fetch, asked } = await sourcesOf(scene, () => behaviors, older);
  const url = urlsOf(behaviors.length);
  return { reader: new DiscoveryReader({ url, keys, fetch, ...more }), asked };
};

/** What a read of these sources says: the IDs, whether they are all, and how many are missing. */
async function outcomeOf(behaviors: readonly Behavior[], filter: DiscoverOptions = {}) {
  const { reader } = await readerOf(behaviors);
  try {
    const { peers, degraded } = await reader.peers(filter);
    return { ids: peers.map(({ id }) => id).toSorted(), degraded };
  } catch (error) {
    return { error };
  }
}

const behavior = (name: string): Behavior => present(HOSTILE[name]);
const NAMES = Object.keys(HOSTILE);

describe("a read of discovery", () => {
  test.each(NAMES)(
    "DS60 of a single source that %s never looks complete: it throws, or says what is missing",
    async (name) => {
      const outcome = await outcomeOf([behavior(name)]);
      if ("error" in outcome) {
        expect(outcome.error).toBeInstanceOf(Error);
        expect((outcome.error as { code?: unknown }).code).toBeTypeOf("string");
        return;
      }
      const { ids, degraded } = outcome;
      const { missing, failures } = present(degraded);
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.every(({ code, detail }) => code !== "" && detail !== "")).toBe(true);
      // Unknown if the list broke off after its first page.
      expect([null, ALL.length - ids.length]).toContain(missing);
    },
  );

  test.each(NAMES.flatMap((name) => [[name, "before"] as const, [name, "after"] as const]))(
    "DS64 of a source that %s, asked %s one that works, is complete",
    async (name, place) => {
      const sources = [behavior(name), HONEST];
      const outcome = await outcomeOf(place === "before" ? sources : sources.toReversed());
      expect(outcome).toEqual({ ids: ALL, degraded: null });
    },
  );

  test("DS60 of any sources, with any filter, is complete exactly when it says so", async () => {
    const filters: readonly (readonly [DiscoverOptions, readonly string[]])[] = [
      [{}, ALL],
      [{ role: "worker" }, ALL],
      [{ role: "controller" }, []],
      [{ capability: "none" }, []],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("works", ...NAMES), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...filters),
        async (names, [filter, expected]) => {
          const sources = names.map((name) => (name === "works" ? HONEST : behavior(name)));
          const outcome = await outcomeOf(sources, filter);
          if (names.includes("works")) {
            expect(outcome).toEqual({ ids: expected, degraded: null });
          } else if (!("error" in outcome)) {
            const { ids, degraded } = outcome;
            if (degraded === null) expect(ids).toEqual(expected);
            else expect(expected).toEqual(expect.arrayContaining(ids));
            if (degraded !== null && degraded.missing !== null && filter.role === undefined)
              expect(degraded.missing).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 8 * SCALE },
    );
  });

  test("DS60 gives the peers that can be opened with the error, one by one and all together", async () => {
    const { blob_id: lost } = present(scene.mesh.pointers[0]);
    const losesOne: Behavior = (path, honest) =>
      path.endsWith(lost) ? new Response(null, { status: 404 }) : honest();
    const { reader } = await readerOf([losesOne]);
    const seen: string[] = [];
    const read = (async () => {
      for await (const change of reader.discover())
        if (change.type === "found") seen.push(change.peer.id);
    })();
    const error = await read.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DiscoveryIncomplete);
    const { peers, degraded } = error as DiscoveryIncomplete;
    expect(peers.map(({ id }) => id)).toEqual(seen);
    expect(seen).toHaveLength(2);
    expect(degraded).toMatchObject({
      missing: 1,
      failures: [{ code: "blob_missing", entries: 1 }],
    });
    const onlyLost = (await readerOf([losesOne])).reader.peers({ role: "controller" });
    expect((await onlyLost).degraded?.missing).toBe(1);
  });

  test("DS60 without the keys of an epoch says that they are missing", async () => {
    const { fetch } = await sourcesOf(scene, () => [HONEST], older);
    const none = { ...keys, epochs: [] };
    const { peers, degraded } = await new DiscoveryReader({
      url: urlsOf(1),
      keys: none,
      fetch,
    }).peers();
    expect(peers).toEqual([]);
    expect(degraded).toMatchObject({
      missing: 3,
      failures: [{ code: "epoch_unknown", entries: 3 }],
    });
  });

  test("DS61 a mesh without peers is told from one that can't be read: its totals are signed", async () => {
    const empty = await ReplicatedMesh.withPeers();
    const emptyKeys = empty.mesh.discoveryKeys();
    await empty.replicateAll();
    const { fetch } = await sourcesOf(empty, () => [HONEST], older);
    vi.setSystemTime(empty.mesh.now);
    const reader = new DiscoveryReader({ url: urlsOf(1), keys: emptyKeys, fetch });
    expect(await reader.peers()).toEqual({ peers: [], degraded: null });
    expect(await reader.find(A.id)).toBeNull();
  });

  test("DS60 a peer that leaves between the list and its record is not missing", async () => {
    const leaving = new ReplicatedMesh();
    const peer = leaving.mesh.join(A);
    leaving.mesh.join(B);
    await leaving.replicateAll();
    let isGone = false;
    const leaves: Behavior = async (path, honest) => {
      if (path.startsWith("/v1/blobs/") && !isGone) {
        isGone = true;
        peer.leave();
        await leaving.replicateAll();
      }
      return honest();
    };
    const { fetch } = await sourcesOf(leaving, () => [leaves], older);
    vi.setSystemTime(leaving.mesh.now);
    const now = leaving.mesh.discoveryKeys();
    const { peers, degraded } = await new DiscoveryReader({
      url: urlsOf(1),
      keys: now,
      fetch,
    }).peers();
    expect(degraded).toBeNull();
    expect(peers.map(({ id }) => id)).toContain(B.id);
  });

  test("DS63 a list that was signed longer ago than allowed is refused, and the next source asked", async () => {
    vi.setSystemTime(scene.mesh.now + 2 * HOUR);
    const { reader } = await readerOf([HONEST]);
    await expect(reader.peers()).rejects.toMatchObject({ code: "directory_old" });
    await expect(reader.find(testKey(999).id)).rejects.toMatchObject({ code: "directory_old" });
    const patient = await readerOf([HONEST], { maxAgeMs: 3 * HOUR });
    expect((await patient.reader.peers()).peers).toHaveLength(3);
    expect(() => new DiscoveryReader({ url: "https://a.test", keys, maxAgeMs: 0 })).toThrow(
      "maxAgeMs",
    );
  });

  test("DS64 a replica that says that its copy is outdated is used only if no other source has a better one", async () => {
    const outdated: Behavior = async (path, honest) =>
      path === "/v1/pointers"
        ? Response.json(older, { headers: { "Muster-Stale": "unreachable" } })
        : honest();
    expect(await outcomeOf([outdated, HONEST])).toEqual({ ids: ALL, degraded: null });
    const alone = await outcomeOf([outdated, behavior("answers 500")]);
    expect(alone).toEqual({ ids: [A.id, B.id].toSorted(), degraded: null });
  });

  test("DS64 a source that has just failed is asked after the others", async () => {
    const { reader, asked } = await readerOf([behavior("refuses connections"), HONEST]);
    await reader.peers();
    expect(asked.filter((url) => url.startsWith("0."))).toHaveLength(1);
    vi.setSystemTime(scene.mesh.now + MINUTE);
    asked.length = 0;
    await reader.peers();
    expect(asked[0]).toBe("0.test/v1/pointers");
  });

  test("DS60 a source that fails at every record is not asked for thousands of them", async () => {
    const many = new ReplicatedMesh();
    for (let index = 0; index < 150; index++) many.mesh.join(testKey(500 + index));
    await many.replicateAll();
    const { fetch, asked } = await sourcesOf(many, () => [behavior("fails at records")], older);
    vi.setSystemTime(many.mesh.now);
    const reader = new DiscoveryReader({
      url: urlsOf(1),
      keys: many.mesh.discoveryKeys(),
      fetch,
    });
    const { peers, degraded } = await reader.peers();
    expect([peers.length, degraded?.missing]).toEqual([0, 150]);
    expect(asked.length).toBeLessThan(100);
  });
});

describe("finding one peer", () => {
  test("DS65 without the keys of the epoch under which a peer may be published, says so", async () => {
    const { fetch } = await sourcesOf(scene, () => [HONEST], older);
    const none = new DiscoveryReader({ url: urlsOf(1), keys: { ...keys, epochs: [] }, fetch });
    await expect(none.find(A.id)).rejects.toMatchObject({ code: "epoch_unknown" });
    let given: DiscoveryKeys = { ...keys, epochs: [] };
    const refreshed = new DiscoveryReader({ url: urlsOf(1), keys: () => given, fetch });
    await refreshed.peers();
    given = keys;
    expect((await refreshed.find(A.id))?.id).toBe(A.id);
  });

  test.each(NAMES)(
    "DS65 a source that %s does not make a peer appear unpublished",
    async (name) => {
      const { reader } = await readerOf([behavior(name)]);
      const found = await reader.find(A.id).catch(() => "failed");
      expect(found).not.toBeNull();
      expect((await (await readerOf([behavior(name), HONEST])).reader.find(A.id))?.id).toBe(A.id);
    },
  );

  test.each(Object.entries(FALSE_POINTERS))(
    "DS65 a source that %s is believed nothing, and the next one is asked",
    async (_, falsely) => {
      await expect((await readerOf([falsely])).reader.find(A.id)).rejects.toThrow();
      const { reader } = await readerOf([falsely, HONEST]);
      expect((await reader.find(A.id))?.id).toBe(A.id);
    },
  );

  test("DS65 a peer that is not published is reported as such by a source that can be read", async () => {
    const stranger = testKey(999).id;
    expect(await (await readerOf([HONEST])).reader.find(stranger)).toBeNull();
    const both = await readerOf([behavior("answers 500"), HONEST]);
    expect(await both.reader.find(stranger)).toBeNull();
    const none = await readerOf([behavior("answers 500"), behavior("says that nothing exists")]);
    await expect(none.reader.find(stranger)).rejects.toThrow();
  });
});

/** What shows in every list, also in one without changes. */
const OF_EVERY_LIST = NAMES.filter(
  (name) => !/record|hides|alters a pointer|lists nothing$/.test(name),
);

describe("following discovery", () => {
  test("DS62 a peer that a source hides from a feed is missing, and found once it is listed", async () => {
    const growing = await ReplicatedMesh.withPeers(A);
    let current = HONEST;
    const { fetch } = await sourcesOf(growing, () => [current], older);
    vi.setSystemTime(growing.mesh.now);
    const now = growing.mesh.discoveryKeys();
    const ending = new AbortController();
    const seen: string[] = [];
    for await (const change of new DiscoveryReader({ url: urlsOf(1), keys: now, fetch }).discover({
      follow: true,
      intervalMs: 1,
      signal: ending.signal,
    })) {
      seen.push(change.type);
      if (seen.length === 1) {
        current = behavior("lists nothing");
        growing.mesh.join(B);
        await growing.replicateAll();
      }
      if (change.type === "degraded") {
        expect(change).toMatchObject({ failures: [{ code: "list_incomplete" }] });
        current = HONEST;
      }
      if (change.type === "recovered") ending.abort();
    }
    expect(seen).toEqual(["found", "degraded", "found", "recovered"]);
  });

  test("DS62 a feed says when it can't read everything and when it can again, and no peer is gone because of that", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...OF_EVERY_LIST), { minLength: 1, maxLength: 4 }),
        async (names) => {
          let current = HONEST;
          const { fetch } = await sourcesOf(scene, () => [current], older);
          const reader = new DiscoveryReader({ url: urlsOf(1), keys, fetch });
          const ending = new AbortController();
          const seen: Discovered[] = [];
          const waiting = [...names];
          const feed = reader.discover({
            follow: true,
            intervalMs: 1,
            signal: ending.signal,
          });
          for await (const change of feed) {
            seen.push(change);
            if (change.type === "degraded") current = HONEST;
            const isWhole = seen.filter(({ type }) => type === "found").length === ALL.length;
            const isIdle = change.type === "recovered" || (isWhole && change.type === "found");
            if (!isIdle) continue;
            const next = waiting.shift();
            if (next === undefined) ending.abort();
            else current = behavior(next);
          }
          const types = seen.map(({ type }) => type).filter((type) => type !== "found");
          expect(types).toEqual(names.flatMap(() => ["degraded", "recovered"]));
          expect(seen.filter(({ type }) => type === "found")).toHaveLength(ALL.length);
        },
      ),
      { numRuns: 8 * SCALE },
    );
  });

  test("DS62 what a feed can't open at its start is reported, and yielded once it can be opened", async () => {
    let current = behavior("can't read its records");
    const { fetch } = await sourcesOf(scene, () => [current], older);
    const reader = new DiscoveryReader({ url: urlsOf(1), keys, fetch });
    const ending = new AbortController();
    const seen: Discovered[] = [];
    for await (const change of reader.discover({
      follow: true,
      intervalMs: 1,
      signal: ending.signal,
    })) {
      seen.push(change);
      if (change.type === "degraded") current = HONEST;
      if (change.type === "recovered") ending.abort();
    }
    expect(seen.map(({ type }) => type)).toEqual([
      "degraded",
      "found",
      "found",
      "found",
      "recovered",
    ]);
    expect(seen[0]).toMatchObject({ missing: 3, failures: [{ code: "unavailable", entries: 3 }] });
  });
});
