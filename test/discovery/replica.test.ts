import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../src/base/clock.ts";
import { parseJson, type JsonObject } from "../../src/base/json.ts";
import {
  DIRECTORY_KEY,
  documentName,
  pageContent,
  pageKey,
  type DirectoryPage,
} from "../../src/discovery/directory.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { blobKey } from "../../src/discovery/sealed-records.ts";
import { sign } from "../../src/discovery/signed-statements.ts";
import { EPOCH_LIFETIME, EPOCH_ROTATION_INTERVAL } from "../../src/protocol/constants.ts";
import { PointerList, PointerQuery } from "../../src/protocol/http.ts";
import { KEYS, testKey } from "../coordinator/mesh.ts";
import { SIGNING_KEY } from "../coordinator/test-config.ts";
import { hexBytes, present } from "../must.ts";
import { ReplicatedMesh } from "./replicated-mesh.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const [A, B, C] = KEYS;

/** A list without what says when it was signed: a replica's is from the last copy. */
const unsigned = (list: PointerList) => ({
  ...list,
  checkpoint: list.checkpoint.epochs,
  totals: list.totals?.epochs,
});

let scene: ReplicatedMesh;
beforeEach(async () => {
  scene = new ReplicatedMesh();
  await scene.open();
});

describe("a replica", () => {
  test("DS27 a replica has no snapshot before the mesh has copied anything", async () => {
    expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
    expect(await scene.replica.mayRead("0".repeat(64))).toBeNull();
  });

  test("DS27 a replica lists the same pages as the mesh and serves each pointer and blob", async () => {
    const { mesh, replica } = scene;
    for (let i = 0; i < 150; i++) mesh.join(testKey(500 + i));
    await scene.replicateAll();
    const { pointers } = mesh;
    expect(pointers).toHaveLength(150);
    const list = await scene.list();
    expect(list.pointers).toEqual(pointers);
    expect(PointerList.parse(list)).toEqual(list);
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await scene.list({ limit: 40, cursor });
      seen.push(...page.pointers.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(pointers.map(({ id }) => id));
    const [first] = pointers;
    expect(await replica.pointer(present(first).id)).toEqual(first);
    expect(await replica.pointer("0".repeat(32))).toBeNull();
    expect(await replica.blob(present(first).blob_id)).not.toBeNull();
  });

  test("DS24 a replica lists the same changes since an earlier answer as the mesh", async () => {
    const { mesh } = scene;
    mesh.join(A);
    const b = mesh.join(B);
    await scene.replicateAll();
    const { since } = await scene.list();
    mesh.join(C);
    b.leave();
    await scene.replicateAll();
    const ours = await scene.list({ since });
    expect(unsigned(ours)).toEqual(unsigned(mesh.listPointers({ since })));
    expect([ours.pointers.length, ours.removed.length]).toEqual([1, 1]);
    const { next_cursor: more } = await scene.list({ since: "0", limit: 1 });
    expect(more).not.toBeNull();
  });

  test("DS23 a replica filters like the mesh", async () => {
    scene = new ReplicatedMesh({ publicFields: ["capabilities"] });
    await scene.open();
    const { mesh } = scene;
    for (let i = 0; i < 12; i++)
      mesh.join(testKey(700 + i), { capabilities: [i % 2 === 0 ? "gpu" : "tpu"] });
    mesh.runFor(2 * MINUTE);
    await scene.replicateAll();
    const ours = await scene.list({ capability: "gpu" });
    expect(unsigned(ours)).toEqual(unsigned(mesh.listPointers({ capability: "gpu" })));
    expect(ours.pointers).toHaveLength(6);
  });

  test("DS10 a replica follows a change of epochs", async () => {
    const { mesh } = scene;
    for (const key of [A, B, C]) mesh.join(key);
    await scene.replicateAll();
    mesh.runFor(EPOCH_ROTATION_INTERVAL + 2 * MINUTE);
    await scene.replicateAll();
    const list = await scene.list();
    expect(list.pointers.map(({ epoch }) => epoch)).toEqual([2, 2, 2]);
    expect(list.checkpoint.epochs).toEqual([2]);
  });
});

describe("a document in a replica's store", () => {
  beforeEach(async () => {
    for (const key of [A, B]) scene.mesh.join(key);
    await scene.replicateAll();
  });

  const document = async (key: string) =>
    parseJson(
      new TextDecoder().decode(present(await scene.replicaStore.get(key))),
    ) as JsonObject & {
      pages: string[];
      checkpoint: JsonObject;
    };
  const write = (key: string, value: unknown) =>
    scene.replicaStore.put(
      key,
      new TextEncoder().encode(JSON.stringify(value)),
      scene.mesh.now + MINUTE,
    );

  const writeSigned = (body: object) =>
    write(DIRECTORY_KEY, { ...body, signature: sign("directory", body, SIGNING_KEY) });

  test("DS27 a directory that the mesh did not sign is refused", async () => {
    const directory = await document(DIRECTORY_KEY);
    for (const forged of [
      { ...directory, readers: [] },
      { ...directory, pages: [] },
      { ...directory, signature: "0".repeat(128) },
      { ...directory, checkpoint: { ...directory.checkpoint, seq: 99 } },
      "nonsense",
      null,
    ]) {
      await write(DIRECTORY_KEY, forged);
      await scene.open();
      expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
    }
  });

  test("DS27 a page whose hash is not in the directory is refused", async () => {
    const { pages } = await document(DIRECTORY_KEY);
    const key = pageKey(present(pages[0]));
    const page = (await document(key)) as unknown as { pointers: object[] };
    await write(key, { ...page, pointers: page.pointers.slice(1) });
    expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
    await scene.replicaStore.delete(key);
    await scene.open();
    expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
  });

  test("DS27 a document with any changed byte is refused", async () => {
    const { pages } = await document(DIRECTORY_KEY);
    const { pointers } = await scene.list();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(DIRECTORY_KEY, pageKey(present(pages[0]))),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (key, place, change) => {
          const right = present(await scene.replicaStore.get(key));
          const wrong = right.slice();
          const at = place % wrong.length;
          wrong[at] = (wrong[at] as number) ^ change;
          await scene.replicaStore.put(key, wrong, Number.MAX_SAFE_INTEGER);
          await scene.open();
          const list = await scene.replica.list(PointerQuery.parse({}));
          await scene.replicaStore.put(key, right, Number.MAX_SAFE_INTEGER);
          expect(list).toBeNull();
        },
      ),
      { numRuns: 100 * SCALE },
    );
    await scene.open();
    expect((await scene.list()).pointers).toEqual(pointers);
    expect(scene.failures).toEqual([]);
  });

  test("DS27 a pointer without a valid signature of its own is left out, even on a valid page", async () => {
    const { signature: _, ...directory } = await document(DIRECTORY_KEY);
    const [name] = directory.pages;
    const page = (await document(pageKey(present(name)))) as unknown as DirectoryPage;
    const [first, second] = page.pointers;
    const altered = { ...present(first), blob_id: "0".repeat(32) };
    const removed = [{ ...present(first), id: "f".repeat(32), blob_id: undefined }];
    const content = pageContent(
      JSON.parse(JSON.stringify({ pointers: [altered, second], removed })) as DirectoryPage,
    );
    await scene.replicaStore.put(pageKey(documentName(content)), content, scene.mesh.now + MINUTE);
    await writeSigned({ ...directory, pages: [documentName(content)] });
    await scene.open();
    expect((await scene.list()).pointers).toEqual([second]);
    expect(await scene.replica.pointer(altered.id)).toBeNull();
    expect(await scene.replica.pointer(present(second).id)).toEqual(second);
    const changes = await scene.list({ since: "0" });
    expect([changes.pointers, changes.removed]).toEqual([[second], []]);
  });

  test("DS27 a document over the size limit is refused", async () => {
    const { signature: _, ...directory } = await document(DIRECTORY_KEY);
    await writeSigned({ ...directory, padding: "x".repeat(32 * 1_024) });
    expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
    scene = await ReplicatedMesh.withPeers(A, B);
    const { blob_id: id } = present(scene.mesh.pointers[0]);
    expect(await scene.replica.blob(id)).not.toBeNull();
    await scene.open();
    await scene.replicaStore.put(
      blobKey(id),
      new Uint8Array(64 * 1_024 + 1),
      scene.mesh.now + MINUTE,
    );
    expect(await scene.replica.blob(id)).toBeNull();
  });

  test("DS28 a directory with a lower sequence number than the served one is refused", async () => {
    const old = present(await scene.replicaStore.get(DIRECTORY_KEY));
    scene.mesh.join(C);
    await scene.replicateAll();
    expect((await scene.list()).pointers).toHaveLength(3);
    await scene.replicaStore.put(DIRECTORY_KEY, old, scene.mesh.now + MINUTE);
    expect((await scene.list()).pointers).toHaveLength(3);
    await scene.open();
    expect((await scene.list()).pointers).toHaveLength(2);
  });

  test("DS28 a directory with the same sequence number but an earlier time is refused", async () => {
    const old = present(await scene.replicaStore.get(DIRECTORY_KEY));
    const { checkpoint, signature: _, ...rest } = await document(DIRECTORY_KEY);
    const { signature: __, ...body } = checkpoint;
    const later = { ...body, issued_at: "2027-01-01T00:00:00.000Z" };
    const said = { ...later, signature: sign("checkpoint", later, SIGNING_KEY) };
    await writeSigned({ ...rest, checkpoint: said });
    expect((await scene.list()).checkpoint).toEqual(said);
    await scene.replicaStore.put(DIRECTORY_KEY, old, scene.mesh.now + MINUTE);
    expect((await scene.list()).checkpoint).toEqual(said);
  });

  test("DS28 the last snapshot is served while the store fails, until all that it names has expired", async () => {
    expect((await scene.list()).pointers).toHaveLength(2);
    scene.replicaStore.get = () => Promise.reject(new Error("the store is down"));
    scene.mesh.advanceClock(EPOCH_LIFETIME - HOUR);
    expect((await scene.list()).pointers).toHaveLength(2);
    expect(scene.failures).not.toHaveLength(0);
    scene.mesh.advanceClock(HOUR);
    expect(await scene.replica.list(PointerQuery.parse({}))).toBeNull();
    expect(await scene.replica.mayRead("0".repeat(64))).toBeNull();
  });

  test("DS28 a pointer is not served after its epoch has expired", async () => {
    const [keys] = scene.mesh.discoveryKeys().epochs;
    const token = readerToken(hexBytes(present(keys).pointer_secret));
    const [pointer] = (await scene.list()).pointers;
    await scene.open(false);
    expect(await scene.replica.mayRead(token)).toBe(true);
    scene.mesh.advanceClock(EPOCH_LIFETIME + DAY);
    expect(await scene.replica.mayRead(token)).toBe(false);
    expect(await scene.replica.pointer(present(pointer).id)).toBeNull();
    expect((await scene.list()).pointers).toEqual([]);
    expect((await scene.list({ since: "0" })).pointers).toEqual([]);
  });

  test("DS2 a replica's store contains no data of a peer and no secret of an epoch", async () => {
    const text = scene.replicaStore.contents
      .map((bytes) => new TextDecoder("latin1").decode(bytes))
      .join();
    const [keys] = scene.mesh.discoveryKeys().epochs;
    const secret = present(keys).pointer_secret;
    const reader = readerToken(hexBytes(secret));
    for (const told of [A.id, A.publicKey, B.id, secret, present(keys).private_key, reader])
      expect(text).not.toContain(told);
  });
});
