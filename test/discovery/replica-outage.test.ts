import * as fc from "fast-check";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { utf8, type Bytes } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { DIRECTORY_KEY } from "../../src/discovery/directory.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { KeptBlobs } from "../../src/discovery/kept-blobs.ts";
import { verifierOf } from "../../src/discovery/signed-statements.ts";
import { ed25519Verify } from "../../src/crypto/primitives.ts";
import { blobKey } from "../../src/discovery/sealed-records.ts";
import { EPOCH_LIFETIME } from "../../src/protocol/constants.ts";
import { PointerList, PointerQuery } from "../../src/protocol/http.ts";
import { replicaRoutes } from "../../workers/replica-routes.ts";
import { KEYS, testKey } from "../coordinator/mesh.ts";
import { hexBytes, present } from "../must.ts";
import { ReplicatedMesh } from "./replicated-mesh.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const [A, B, C] = KEYS;

afterEach(() => {
  vi.useRealTimers();
});

/** What may happen to a replica's store: it changes what the store returns for a key. */
type Get = (key: string) => Promise<Bytes | null>;
const HUNG: Get = () => new Promise(() => {});
const FAILURES: Record<string, (scene: ReplicatedMesh, old: Bytes) => Get> = {
  "it fails": () => () => Promise.reject(new Error("the store is down")),
  "it was emptied": () => async () => null,
  "it lost its records": (scene) => async (key) =>
    key.startsWith("blob:") ? null : scene.replicaStore.peek(key),
  "it lost its pages": (scene) => async (key) =>
    key.startsWith("page:") ? null : scene.replicaStore.peek(key),
  "its directory is not signed": (scene) => async (key) =>
    key === DIRECTORY_KEY ? utf8("{}") : scene.replicaStore.peek(key),
  "it was set back": (scene, old) => async (key) =>
    key === DIRECTORY_KEY ? old : scene.replicaStore.peek(key),
};

/** The replica's clock, which the test moves on together with its timers. */
const clock = { now: Date.UTC(2026, 0, 1) };

/** What a promise resolves with while at most `ms` pass; throws if it does not resolve in that time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const answers: T[] = [];
  void promise.then((value) => answers.push(value));
  for (let passed = 0; answers.length === 0 && passed < ms; passed += 100) {
    for (let turn = 0; turn < 20 && answers.length === 0; turn++)
      await new Promise((resolve) => void setImmediate(resolve));
    if (answers.length > 0) break;
    clock.now += 100;
    await vi.advanceTimersByTimeAsync(100);
  }
  return present(answers[0]);
}
/** Ports with the controlled clock, and signatures that are verified without a thread, whose time the clock does not count. */
const controlled = ({ mesh }: ReplicatedMesh) => ({
  now: () => clock.now,
  verifier: verifierOf(mesh.config.discovery.verifyingKey, async (...signed) =>
    ed25519Verify(...signed),
  ),
});
const useControlledTimers = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

async function readAll(scene: ReplicatedMesh) {
  const { pointers } = await scene.list();
  const blobs = await Promise.all(pointers.map(({ blob_id: id }) => scene.replica.blob(id)));
  return { ids: pointers.map(({ id }) => id), sizes: blobs.map((blob) => blob?.length ?? 0) };
}

describe("a replica whose store is lost", () => {
  test("DS67 a replica serves every pointer and record that it had, through any sequence of failures, and what is new once its store is back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("back", "joined", ...Object.keys(FAILURES)), { maxLength: 12 }),
        async (happenings) => {
          const scene = await ReplicatedMesh.withPeers(A, B);
          await scene.open(true, { readsAhead: true });
          const old = present(scene.replicaStore.peek(DIRECTORY_KEY));
          scene.mesh.join(C);
          await scene.replicateAll();
          const stored = scene.replicaStore.get.bind(scene.replicaStore);
          await scene.replica.refresh();
          const had = await readAll(scene);
          expect(had.sizes).not.toContain(0);
          let joined = 0;
          let failing = stored;
          for (const happening of happenings) {
            const failure = FAILURES[happening];
            if (failure !== undefined) failing = failure(scene, old);
            else if (happening === "back") failing = stored;
            else {
              // The mesh writes to its store as before: what fails is the replica's way to it.
              scene.replicaStore.get = stored;
              scene.mesh.join(testKey(300 + joined++));
              await scene.replicateAll();
            }
            scene.replicaStore.get = failing;
            await scene.replica.refresh();
            const now = await readAll(scene);
            expect(now.ids).toEqual(expect.arrayContaining(had.ids));
            const sizes = new Map(now.ids.map((id, index) => [id, now.sizes[index]]));
            for (const id of had.ids) expect(sizes.get(id)).toBeGreaterThan(0);
          }
          scene.replicaStore.get = stored;
          await scene.replica.refresh();
          const end = await readAll(scene);
          expect(end.ids).toEqual(scene.mesh.pointers.map(({ id }) => id));
          expect(end.sizes).not.toContain(0);
          expect(scene.replica.status.condition).toBe("current");
        },
      ),
      { numRuns: 15 * SCALE },
    );
  });

  test("DS67 a record is dropped once no pointer names it, and is not served after its epoch has expired", async () => {
    const scene = new ReplicatedMesh();
    const peer = scene.mesh.join(A);
    scene.mesh.join(B);
    await scene.replicateAll();
    await scene.open(true, { readsAhead: true });
    await scene.replica.refresh();
    const [gone, remaining] = ["A", "B"].map((_, index) => present(scene.mesh.pointers[index]));
    expect(scene.replica.status).toMatchObject({ records: 2, recordsKept: 2 });
    peer.leave();
    await scene.replicateAll();
    await scene.replica.refresh();
    expect(scene.replica.status).toMatchObject({ records: 1, recordsKept: 1 });
    const left = scene.mesh.pointers[0]?.id === gone?.id ? remaining : gone;
    expect(await scene.replica.blob(present(left).blob_id)).toBeNull();
    const { blob_id: id } = present(scene.mesh.pointers[0]);
    expect(await scene.replica.blob(id)).not.toBeNull();
    scene.replicaStore.get = HUNG;
    scene.mesh.advanceClock(EPOCH_LIFETIME);
    expect(scene.replica.isNamed(id)).toBe(false);
  });

  test("DS67 a replica keeps as many of the named records as its bound allows, and drops none of them for another", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.array(fc.tuple(fc.nat(30), fc.nat(3_000)), { maxLength: 60 }),
        (bound, offers) => {
          const kept = new KeptBlobs(bound);
          const named = Array.from({ length: 20 }, (_, index) => ({
            blob_id: `blob-${index}`,
            expires_at: "2026-01-02T00:00:00.000Z",
          })) as unknown as Parameters<KeptBlobs["setNamed"]>[0];
          kept.setNamed(named);
          const held = new Map<string, number>();
          for (const [index, length] of offers) {
            const id = `blob-${index}`;
            kept.keep(id, new Uint8Array(length));
            if (kept.get(id) !== null && !held.has(id)) held.set(id, length);
            for (const [other, size] of held) expect(kept.get(other)?.length).toBe(size);
            expect(kept.use.bytes).toBeLessThanOrEqual(bound);
            if (index >= 20) expect(kept.get(id)).toBeNull();
          }
          kept.setNamed([]);
          expect(kept.use).toEqual({ named: 0, kept: 0, bytes: 0 });
        },
      ),
      { numRuns: 100 * SCALE },
    );
  });

  test("DS67 a replica does not read ahead what has no room, however often the directory changes", async () => {
    const scene = await ReplicatedMesh.withPeers(
      ...Array.from({ length: 60 }, (_, at) => testKey(400 + at)),
    );
    const sizes = scene.replicaStore.keys
      .filter((key) => key.startsWith("blob:"))
      .map((key) => present(scene.replicaStore.peek(key)).length);
    // Room for about ten of them, and some bytes more.
    const keptBytesMax = 10 * (Math.max(...sizes) + 256) + 300;
    await scene.open(true, { readsAhead: true, keptBytesMax });
    await scene.replica.refresh();
    const { recordsKept } = scene.replica.status;
    expect(recordsKept).toBeGreaterThanOrEqual(10);
    const before = scene.replicaStore.reads;
    for (let pass = 0; pass < 40; pass++) await scene.replica.refresh();
    for (let joined = 0; joined < 5; joined++) {
      scene.mesh.join(testKey(500 + joined));
      await scene.replicateAll();
      await scene.replica.refresh();
    }
    // The directory, twice in a refresh, and its pages.
    expect(scene.replicaStore.reads - before).toBeLessThan(45 * 4);
  });
});

describe("a replica over HTTP whose store fails", () => {
  let scene: ReplicatedMesh;
  let reader: string;
  const app = new Hono();
  replicaRoutes(app, async () => scene.replica);
  const ask = async (path: string, token = reader) =>
    app.request(path, { headers: { Authorization: `Bearer ${token}` } });

  beforeEach(async () => {
    scene = await ReplicatedMesh.withPeers(A, B);
    reader = readerToken(hexBytes(present(scene.mesh.discoveryKeys().epochs[0]).pointer_secret));
  });

  const paths = () => {
    const { id, blob_id: blob } = present(scene.mesh.pointers[0]);
    return ["/healthz", "/v1/pointers", `/v1/pointers/${id}`, `/v1/blobs/${blob}`];
  };

  test("DS68 a replica whose store hangs answers within 2 s, with what it has kept", async () => {
    await scene.open(false, { readsAhead: true, ...controlled(scene) });
    await scene.replica.refresh();
    useControlledTimers();
    scene.replicaStore.get = HUNG;
    for (const path of [...paths(), ...paths()])
      expect((await within(ask(path), 2 * SECOND)).status).toBe(200);
  });

  test("DS68 a replica that has kept nothing answers 503 with Retry-After within 2 s while its store hangs", async () => {
    await scene.open(false, controlled(scene));
    useControlledTimers();
    scene.replicaStore.get = HUNG;
    for (const path of [...paths(), ...paths()]) {
      const { status, headers } = await within(ask(path), 2 * SECOND);
      expect([status, headers.get("retry-after")]).toEqual([503, "2"]);
    }
  });

  test("DS68 a replica whose store hangs at a record answers 503 within 2 s", async () => {
    await scene.open(false, controlled(scene));
    await scene.replica.refresh();
    useControlledTimers();
    const stored = scene.replicaStore.get.bind(scene.replicaStore);
    scene.replicaStore.get = (key) => (key.startsWith("blob:") ? HUNG(key) : stored(key));
    expect((await within(ask(present(paths()[3])), 2 * SECOND)).status).toBe(503);
  });

  test("DS68 a record that the store does not return is answered with 503, not as if it did not exist", async () => {
    await scene.open(false);
    const [, , , path = ""] = paths();
    const { blob_id: id } = present(scene.mesh.pointers[0]);
    await scene.replicaStore.delete(blobKey(id));
    const answer = await ask(path);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    expect((await ask(path, "0".repeat(64))).status).toBe(404);
    expect((await ask(`/v1/blobs/${"0".repeat(32)}`)).status).toBe(404);
  });

  test.each([
    ["unreachable", "it fails"],
    ["empty", "it was emptied"],
    ["refused", "its directory is not signed"],
    ["refused", "it was set back"],
  ] as const)(
    "DS69 a replica says the age of its directory, and %s if %s",
    async (condition, failure) => {
      const old = present(scene.replicaStore.peek(DIRECTORY_KEY));
      scene.mesh.join(C);
      await scene.replicateAll();
      await scene.open(false, { readsAhead: true });
      await scene.replica.refresh();
      const current = await ask("/v1/pointers");
      expect(current.headers.get("muster-stale")).toBeNull();
      expect(current.headers.get("muster-directory-age")).toMatch(/^\d+$/);
      scene.replicaStore.get = present(FAILURES[failure])(scene, old);
      const kept = await ask("/v1/pointers");
      expect(PointerList.parse(await kept.json()).pointers).toHaveLength(3);
      expect(kept.headers.get("muster-stale")).toBe(condition);
      expect(await (await ask("/healthz")).json()).toEqual({
        status: "stale",
        store: condition,
        all_records_kept: true,
      });
    },
  );

  test("DS72 the store is not read for a blob that the directory does not name, nor for a caller that may not read", async () => {
    await scene.open(false);
    await scene.replica.refresh();
    const read: string[] = [];
    const stored = scene.replicaStore.get.bind(scene.replicaStore);
    scene.replicaStore.get = (key) => (read.push(key), stored(key));
    const other = "b".repeat(32);
    await scene.replicaStore.put(blobKey(other), new Uint8Array(8), Number.MAX_SAFE_INTEGER);
    const [, , , path = ""] = paths();
    expect((await ask(`/v1/blobs/${other}`)).status).toBe(404);
    expect((await ask(path, "0".repeat(64))).status).toBe(404);
    expect(read.filter((key) => key.startsWith("blob:"))).toEqual([]);
    expect((await ask(path)).status).toBe(200);
    expect(read.filter((key) => key.startsWith("blob:"))).toHaveLength(1);
  });
});

test("DS68 a store that hangs is asked once in two seconds", async () => {
  const scene = await ReplicatedMesh.withPeers(A);
  await scene.open(true, controlled(scene));
  expect(present(await scene.replica.list(PointerQuery.parse({}))).pointers).toHaveLength(1);
  useControlledTimers();
  let reads = 0;
  scene.replicaStore.get = (key) => (reads++, HUNG(key));
  const begun = clock.now;
  while (clock.now < begun + 20 * SECOND) {
    const answers = Promise.all([1, 2, 3].map(() => scene.replica.list(PointerQuery.parse({}))));
    expect(await within(answers, SECOND)).not.toContain(null);
    clock.now += 200;
  }
  expect(reads).toBeLessThanOrEqual(10);
});
