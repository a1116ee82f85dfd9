import { toHex } from "../../src/base/bytes.ts";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { pointerIdOf, readerTag, readerToken } from "../../src/discovery/epoch-secrets.ts";
import { sign, type StatementKind } from "../../src/discovery/signed-statements.ts";
import { sealPeerRecord, type PeerRecord } from "../../src/stmf/peer-record.ts";
import { must } from "../must.ts";
import {
  counting,
  OTHER,
  PEER,
  PEER_EPHEMERAL,
  scripted,
  SIGNING_KEY,
  SIGNING_PUBLIC_KEY,
  TIME,
} from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

const EPOCH = 41;
const EPOCH_KEYS = OTHER;
const POINTER_SECRET = counting(0xe1, 32);
const BLOB_ID = toHex(counting(0x31, 16));
const EXPIRES_AT = "2026-12-02T12:00:00.000Z";

const RECORD: PeerRecord = {
  id: PEER.id,
  name: "atlas",
  public_key: toHex(PEER.publicKey),
  address: "203.0.113.7",
  role: "worker",
  added_at: TIME,
  last_seen: null,
  ping_ms: 12.5,
  hops: 1,
  geo_km: null,
  score: 0.8125,
  connected: true,
  capabilities: ["gpu", "arch=arm64"],
  kinds: ["resize"],
  region: "weur",
};

const STATEMENTS: readonly (readonly [StatementKind, JsonObject])[] = [
  [
    "pointer",
    {
      id: pointerIdOf(POINTER_SECRET, PEER.id),
      epoch: EPOCH,
      seq: 1_234,
      blob_id: BLOB_ID,
      metadata: { role: "worker", capabilities: ["gpu"], né: [1.5, null, true] },
      expires_at: EXPIRES_AT,
    },
  ],
  ["removal", { id: pointerIdOf(POINTER_SECRET, PEER.id), epoch: EPOCH, seq: 1_235 }],
  ["checkpoint", { seq: 1_235, epochs: [40, 41], issued_at: TIME }],
  [
    "totals",
    {
      seq: 1_235,
      issued_at: TIME,
      epochs: [
        { epoch: 40, listed: 0, expires_at: TIME },
        { epoch: 41, listed: 1, expires_at: EXPIRES_AT },
      ],
    },
  ],
];

const CANONICAL: readonly Json[] = [
  { b: 1, a: [true, null, "x"], "": {} },
  { é: 1, z: 2, "\u{1f600}": 3, "\uffff": 4 },
  [0, 1.5, 1e21, 1e-7, 123_456_789_012],
  '\u0000\u001f"\\/\u007f\u2028',
];

export const discovery = (): VectorFile => ({
  about: [
    "Discovery. A pointer's ID is the first 16 bytes of HMAC-SHA256(pointer secret, peer ID); the reader token is HKDF-SHA256(pointer secret, info `muster/discovery reader v1`, 32 bytes) in hex. A blob is an STMF container for one recipient, the epoch's key.",
    "A signed statement: Ed25519 of `muster/`, its kind, `/1`, a line feed and its canonical JSON (RFC 8785) without `signature`.",
  ],
  vectors: {
    epoch_keys: {
      epoch: EPOCH,
      private_key: toHex(EPOCH_KEYS.privateKey),
      pointer_secret: toHex(POINTER_SECRET),
      expires_at: EXPIRES_AT,
    },
    epoch_public_key: toHex(EPOCH_KEYS.publicKey),
    reader_token: readerToken(POINTER_SECRET),
    reader_tag: toHex(readerTag(readerToken(POINTER_SECRET))),
    pointer_ids: [PEER, OTHER].map(({ id }) => ({
      peer_id: id,
      pointer_id: pointerIdOf(POINTER_SECRET, id),
    })),
    signing_private_key: toHex(SIGNING_KEY),
    signing_public_key: toHex(SIGNING_PUBLIC_KEY),
    statements: STATEMENTS.map(([kind, body]) => ({
      kind,
      statement: { ...body, signature: sign(kind, body, SIGNING_KEY) },
      signed_text: `muster/${kind}/1\n${canonicalJson(body)}`,
    })),
    refused: STATEMENTS.flatMap(([kind, body]) => [
      {
        why: "another sequence number",
        kind,
        statement: { ...body, seq: 1_236, signature: sign(kind, body, SIGNING_KEY) },
      },
      {
        why: "signed as another kind",
        kind,
        statement: { ...body, signature: sign("directory", body, SIGNING_KEY) },
      },
      {
        why: "signed with another key",
        kind,
        statement: { ...body, signature: sign(kind, body, counting(0x12, 32)) },
      },
    ]),
    canonical_json: CANONICAL.map((value) => ({ value, text: canonicalJson(value) })),
    record: {
      about:
        "The record of the peer, sealed to the epoch's key. Its form is padded with a field `padding` to 1,024 bytes, or the next power of two.",
      ephemeral_private_key: toHex(PEER_EPHEMERAL.privateKey),
      nonce: toHex(counting(0x71, 24)),
      record: RECORD,
      blob_id: BLOB_ID,
      blob: toHex(
        must(
          sealPeerRecord(
            RECORD,
            EPOCH_KEYS.publicKey,
            scripted(PEER_EPHEMERAL.privateKey, counting(0x71, 24)),
          ),
        ),
      ),
    },
  },
});
