import { describe, expect, test } from "vitest";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { newOpaqueId } from "../../src/protocol/ids.ts";
import { encrypt, newPointer, resolve, StmfError, type BlobReader } from "../../src/stmf/index.ts";
import { seededRandom } from "../random.ts";
import { faultOf } from "./faults.ts";

const discovery = newKeyPair(seededRandom(1));
const FORM = { fields: [{ name: "name", value: "atlas", type: "text" }] };
const blobId = newOpaqueId(seededRandom(2));

const storeOf = (blobs: Record<string, Uint8Array>): BlobReader => ({
  get: (id) => Promise.resolve(blobs[id] ?? null),
});

describe("a pointer to a blob", () => {
  test("contains its ID, its blob's ID and the given metadata, and nothing else", () => {
    const pointer = newPointer(blobId, { role: "worker", tags: ["gpu"], region: null });
    expect(pointer).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      blob_id: blobId,
      metadata: { role: "worker", tags: ["gpu"], region: null },
    });
  });

  test("has a new ID each time, independent of the blob", () => {
    const ids = new Set(Array.from({ length: 100 }, () => newPointer(blobId).id));
    expect(ids.size).toBe(100);
    expect(ids).not.toContain(blobId);
  });

  test("derives its ID from the given random bytes, and has no metadata by default", () => {
    expect(newPointer(blobId, {}, seededRandom(3)).id).toBe(newOpaqueId(seededRandom(3)));
    expect(newPointer(blobId).metadata).toEqual({});
  });
});

describe("resolving a pointer", () => {
  test("fetches the blob under its blob ID and opens it", async () => {
    const blobs = storeOf({ [blobId]: await encrypt(FORM, discovery.publicKey) });
    const pointer = newPointer(blobId);
    expect(await resolve(pointer, discovery.privateKey, blobs)).toEqual(FORM);
  });

  test("gives blob_missing when the blob does not exist", async () => {
    const pointer = newPointer(blobId);
    expect(await faultOf(resolve(pointer, discovery.privateKey, storeOf({})))).toBe("blob_missing");
  });

  test("gives a fault when the blob is sealed to another key or is not a container", async () => {
    const other = newKeyPair(seededRandom(4));
    const pointer = newPointer(blobId);
    const sealed = storeOf({ [blobId]: await encrypt(FORM, other.publicKey) });
    expect(await faultOf(resolve(pointer, discovery.privateKey, sealed))).toBe(
      "container_sealed_otherwise",
    );
    const empty = storeOf({ [blobId]: new Uint8Array() });
    expect(await faultOf(resolve(pointer, discovery.privateKey, empty))).toBe("container_invalid");
  });

  test("passes on an error of the store unchanged", async () => {
    const failure = new Error("the store is down");
    const broken: BlobReader = { get: () => Promise.reject(failure) };
    await expect(resolve(newPointer(blobId), discovery.privateKey, broken)).rejects.toBe(failure);
  });
});

test("a StmfError is an Error with a name, a stable code and a message for people", () => {
  const error = new StmfError({
    code: "blob_missing",
    detail: "the store has no blob under the pointer's blob ID",
  });
  expect(error).toBeInstanceOf(Error);
  expect({ name: error.name, code: error.code, message: error.message }).toEqual({
    name: "StmfError",
    code: "blob_missing",
    message: "the store has no blob under the pointer's blob ID",
  });
});
