import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import { parseJson, type Json } from "../../src/base/json.ts";
import { platformVerify } from "../../src/crypto/ed25519.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { ed25519PublicKey, ed25519Verify } from "../../src/crypto/primitives.ts";
import {
  epochPublicKey,
  newEpochSecrets,
  openEpochSecrets,
  pointerIdOf,
  sealEpochSecrets,
} from "../../src/discovery/epoch-secrets.ts";
import { openResolved, RollbackGuard } from "../../src/discovery/resolver.ts";
import { sign, verifierOf } from "../../src/discovery/signed-statements.ts";
import type { Checkpoint, PointerView } from "../../src/protocol/discovery.ts";
import { sealPeerRecord, type PeerRecord } from "../../src/stmf/peer-record.ts";
import { must, mustFail } from "../must.ts";
import { seededRandom } from "../random.ts";

const NOW = Date.UTC(2026, 0, 1);
const SIGNING_KEY = seededRandom(1)(32);
const VERIFYING_KEY = ed25519PublicKey(SIGNING_KEY);
const secrets = newEpochSecrets(seededRandom(2));
const peer = newKeyPair(seededRandom(3));

const pointer = (more: Partial<PointerView> = {}): PointerView => {
  const body = {
    id: pointerIdOf(secrets.pointerSecret, peer.id),
    epoch: 1,
    seq: 7,
    blob_id: "b".repeat(32),
    metadata: { role: "worker", capabilities: ["gpu"] },
    expires_at: new Date(NOW + 1_000).toISOString(),
    ...more,
  };
  return { ...body, signature: more.signature ?? sign("pointer", body, SIGNING_KEY) };
};
const checkpoint = (seq: number, epochs: number[]): Checkpoint => {
  const body = { seq, epochs, issued_at: new Date(NOW).toISOString() };
  return { ...body, signature: sign("checkpoint", body, SIGNING_KEY) };
};
const removal = (seq: number) => {
  const { id, epoch } = pointer();
  return { id, epoch, seq, signature: sign("removal", { id, epoch, seq }, SIGNING_KEY) };
};
const newGuard = async () => new RollbackGuard(verifierOf(VERIFYING_KEY, await platformVerify()));

describe("a signed statement of the mesh", () => {
  test("DS12 a statement with a valid signature is accepted", async () => {
    const reader = await newGuard();
    expect(must(await reader.acceptPointer(pointer(), NOW))).toEqual(pointer());
    expect(must(await reader.acceptCheckpoint(checkpoint(7, [1]))).seq).toBe(7);
    expect(must(await reader.acceptRemoval(removal(8))).seq).toBe(8);
  });

  test.for<[string, Partial<PointerView>]>([
    ["ID", { id: "0".repeat(32) }],
    ["epoch", { epoch: 2 }],
    ["sequence", { seq: 8 }],
    ["blob", { blob_id: "c".repeat(32) }],
    ["metadata", { metadata: { role: "worker", capabilities: ["gpu", "x"] } }],
    ["expiry", { expires_at: new Date(NOW + 9_000).toISOString() }],
    ["signature", { signature: "0".repeat(128) }],
  ])("DS12 a pointer with a changed %s is refused", async ([, change]) => {
    const forged = { ...pointer(), ...change };
    expect(mustFail(await (await newGuard()).acceptPointer(forged, NOW)).code).toBe(
      "statement_forged",
    );
  });

  test("DS12 a statement of one kind is not valid as another kind", async () => {
    const { signature, ...body } = pointer();
    const verifier = verifierOf(VERIFYING_KEY, await platformVerify());
    expect(await verifier.directory({ ...body, signature })).toBe(false);
    expect(
      await verifier.directory({ ...body, signature: sign("directory", body, SIGNING_KEY) }),
    ).toBe(true);
  });

  test("DS12 a statement of another mesh is refused", async () => {
    const other = new RollbackGuard(
      verifierOf(ed25519PublicKey(seededRandom(9)(32)), await platformVerify()),
    );
    expect(mustFail(await other.acceptPointer(pointer(), NOW)).code).toBe("statement_forged");
  });

  test("DS19 a statement is refused after a newer pointer or removal with the same ID was seen", async () => {
    const reader = await newGuard();
    must(await reader.acceptPointer(pointer({ seq: 9 }), NOW));
    expect(mustFail(await reader.acceptPointer(pointer(), NOW)).code).toBe("statement_old");
    must(await reader.acceptPointer(pointer({ seq: 9 }), NOW));
    must(await reader.acceptRemoval(removal(10)));
    expect(mustFail(await reader.acceptPointer(pointer({ seq: 9 }), NOW)).code).toBe(
      "statement_old",
    );
    must(await reader.acceptPointer(pointer({ seq: 11 }), NOW));
  });

  test("DS19 a pointer is refused when it has expired or its epoch has ended", async () => {
    const reader = await newGuard();
    expect(mustFail(await reader.acceptPointer(pointer(), NOW + 1_000)).code).toBe(
      "pointer_expired",
    );
    must(await reader.acceptCheckpoint(checkpoint(7, [2, 3])));
    expect(mustFail(await reader.acceptPointer(pointer(), NOW)).code).toBe("statement_old");
  });

  test("DS26 a checkpoint with a lower sequence number than an earlier one is refused as outdated", async () => {
    const reader = await newGuard();
    must(await reader.acceptCheckpoint(checkpoint(7, [1])));
    must(await reader.acceptCheckpoint(checkpoint(7, [1])));
    expect(mustFail(await reader.acceptCheckpoint(checkpoint(6, [1]))).code).toBe("statement_old");
  });
});

describe("the record of a pointer", () => {
  const RECORD: PeerRecord = {
    id: peer.id,
    name: "atlas",
    public_key: toHex(peer.publicKey),
    address: "",
    role: "worker",
    added_at: "2026-01-02T03:04:05.000Z",
    last_seen: null,
    ping_ms: null,
    hops: null,
    geo_km: null,
    score: 0.5,
    connected: true,
    capabilities: [],
    kinds: ["*"],
    region: null,
  };
  const blobOf = (record: PeerRecord) =>
    must(sealPeerRecord(record, epochPublicKey(secrets), seededRandom(4)));

  test("DS19 a pointer resolves to its peer's record", () => {
    expect(must(openResolved(pointer(), blobOf(RECORD), secrets))).toEqual(RECORD);
  });

  test("DS19 another peer's record under a pointer is refused, even when correctly sealed", () => {
    const other = newKeyPair(seededRandom(5));
    const swapped = blobOf({ ...RECORD, id: other.id, public_key: toHex(other.publicKey) });
    expect(mustFail(openResolved(pointer(), swapped, secrets)).code).toBe("identity_mismatch");
    const keyOnly = { ...secrets, pointerSecret: null };
    expect(must(openResolved(pointer(), swapped, keyOnly)).id).toBe(other.id);
    const lie = blobOf({ ...RECORD, id: other.id });
    expect(mustFail(openResolved(pointer(), lie, secrets)).code).toBe("identity_mismatch");
  });

  test("DS19 a missing blob, or one sealed to another key, is a fault", () => {
    expect(mustFail(openResolved(pointer(), null, secrets)).code).toBe("blob_missing");
    const others = newEpochSecrets(seededRandom(6));
    expect(mustFail(openResolved(pointer(), blobOf(RECORD), others)).code).toBe(
      "container_sealed_otherwise",
    );
  });
});

describe("an epoch's secrets", () => {
  const root = new Uint8Array(32).fill(5);
  const sealed = sealEpochSecrets(root, 3, secrets, seededRandom(7));

  test("DS6 sealed secrets open only with the same root key and epoch number", () => {
    expect(openEpochSecrets(root, 3, sealed)).toEqual(secrets);
    expect(openEpochSecrets(root, 4, sealed)).toBeNull();
    expect(openEpochSecrets(new Uint8Array(32), 3, sealed)).toBeNull();
    for (const length of [0, 10, 40, sealed.length - 1])
      expect(openEpochSecrets(root, 3, sealed.subarray(0, length))).toBeNull();
  });

  test("DS11 pointer IDs differ between peers and between epochs", () => {
    const other = newEpochSecrets(seededRandom(8)).pointerSecret;
    const ids = [secrets.pointerSecret, other].flatMap((secret) =>
      [peer.id, "0".repeat(32)].map((id) => pointerIdOf(secret, id)),
    );
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("canonical JSON", () => {
  test("does not depend on the order of members, and parses to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const json = parseJson(JSON.stringify(value)) as Json;
        expect(parseJson(canonicalJson(json))).toEqual(json);
        expect(canonicalJson(parseJson(canonicalJson(json)) as Json)).toBe(canonicalJson(json));
      }),
    );
    expect(canonicalJson({ b: [1, { d: null, c: "é" }], a: 1e21 })).toBe(
      '{"a":1e+21,"b":[1,{"c":"é","d":null}]}',
    );
  });
});

test("Ed25519 gives the same result by WebCrypto and in JavaScript, and refuses a damaged signature", async () => {
  const verify = await platformVerify();
  const message = new TextEncoder().encode("hello");
  const body = { a: 1 };
  const signature = sign("pointer", body, SIGNING_KEY);
  expect(signature).toHaveLength(128);
  expect(ed25519Verify(VERIFYING_KEY, message, new Uint8Array(64))).toBe(false);
  expect(await verify(VERIFYING_KEY, message, new Uint8Array(64))).toBe(false);
  expect(await verify(VERIFYING_KEY, message, new Uint8Array(3))).toBe(false);
  expect(ed25519Verify(new Uint8Array(31), message, new Uint8Array(64))).toBe(false);
});
