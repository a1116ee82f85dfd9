import { toBase64, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import { sha256 } from "../../src/crypto/primitives/hashes.ts";
import {
  downloadTicket,
  payloadTicket,
  resultSecretText,
  uploadTicket,
  type ResultSecret,
} from "../../src/crypto/result-tickets.ts";
import { sealBytes } from "../../src/crypto/sealed-stream.ts";
import { sign } from "../../src/discovery/signed-statements.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";
import {
  counting,
  EMPTY,
  flipped,
  pattern,
  PEER,
  scripted,
  SIGNING_KEY,
  SIGNING_PUBLIC_KEY,
  TASK_ID,
} from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

const SECRET: ResultSecret = { peerId: PEER.id, secret: counting(0x51, 32) };
const CHUNK_BYTES = 256 * 1_024;

const RESULTS: readonly { readonly name: string; readonly bytes: Bytes }[] = [
  { name: "a short result", bytes: utf8('{"width":100}') },
  { name: "text in UTF-8", bytes: utf8('"né 世界 🔐"') },
  { name: "300 KiB: byte i is i mod 251", bytes: pattern(300 * 1_024) },
];

/** The bytes themselves if they are few, otherwise their number (byte i is i mod 251). */
const shown = (name: string, bytes: Bytes) =>
  bytes.length <= 64 ? { [name]: toHex(bytes) } : { [`${name}_pattern_bytes`]: bytes.length };

const contentOf = (bytes: Bytes) => ({
  bytes: bytes.length,
  sha256: toBase64(sha256(bytes)),
});

export const resultTickets = (): VectorFile => ({
  about: [
    "Results that are too large for a message, and payloads that are larger than the `max_frame` of their peer. The secret comes over the session (`upload` in an offer, `ticket` with a task that is shown): peer ID, `.`, 32 bytes in hex. A ticket is a bearer token made with it: the secret itself never goes over HTTP.",
    "`content` is what `uploaded` in task_result holds: the number of the result's own bytes and their SHA-256 in base64.",
    "`result_pattern_bytes`: the result has so many bytes, of which byte i is i mod 251.",
  ],
  vectors: {
    secret_text: resultSecretText(SECRET),
    peer_id: SECRET.peerId,
    secret: toHex(SECRET.secret),
    uploads: RESULTS.map(({ name, bytes }) => {
      const content = contentOf(bytes);
      return {
        name,
        ...shown("result", bytes),
        content,
        content_digest_header: contentDigest(content.sha256),
        mac_text: `upload ticket ${content.bytes} ${content.sha256}`,
        ticket: uploadTicket(SECRET, content),
      };
    }),
    download: { mac_text: "read ticket", ticket: downloadTicket(SECRET) },
    payload: { mac_text: "payload ticket", ticket: payloadTicket(SECRET) },
    refused_secrets: [
      { why: "no peer ID", secret_text: toHex(SECRET.secret) },
      { why: "31 bytes", secret_text: resultSecretText(SECRET).slice(0, -2) },
      { why: "a third part", secret_text: `${resultSecretText(SECRET)}.` },
      { why: "not a peer ID", secret_text: resultSecretText(SECRET).slice(1) },
    ],
  },
});

const STREAMS: readonly (readonly [string, string, Bytes])[] = [
  ["a short result", "upload", utf8('{"width":100}')],
  ["the same as a download", "read", utf8('{"width":100}')],
  ["the same as a payload", "payload", utf8('{"width":100}')],
  ["nothing", "upload", EMPTY],
  ["exactly one chunk", "upload", pattern(CHUNK_BYTES)],
  ["one chunk and one byte", "upload", pattern(CHUNK_BYTES + 1)],
  ["two chunks", "upload", pattern(2 * CHUNK_BYTES)],
  ["two chunks and 1,000 bytes", "read", pattern(2 * CHUNK_BYTES + 1_000)],
];

export async function sealedStreams(): Promise<VectorFile> {
  const salt = counting(0x91, 32);
  const seal = (purpose: string, plain: Bytes) =>
    sealBytes(plain, { secret: SECRET.secret, purpose }, scripted(salt));
  const sealed = await seal("upload", utf8('{"width":100}'));
  return {
    about: [
      "How the bytes of an upload, a download or a payload are sealed on their way: a salt of 32 bytes, then chunks of 262,144 bytes (the last one may be shorter), each under AES-256-GCM with its tag of 16 bytes. Key: HKDF-SHA256(secret, salt, info `muster/stream/1 ` + purpose, 32 bytes). Nonce: 7 zero bytes, the chunk's number as 32 bits, big-endian, and one byte that is 1 for the last chunk and 0 for the others.",
      "`plain_pattern_bytes`: the plaintext has so many bytes, of which byte i is i mod 251.",
    ],
    vectors: {
      secret: toHex(SECRET.secret),
      salt: toHex(salt),
      streams: await Promise.all(
        STREAMS.map(async ([name, purpose, plain]) => {
          const bytes = await seal(purpose, plain);
          return {
            name,
            purpose,
            ...shown("plain", plain),
            sealed_bytes: bytes.length,
            ...(plain.length <= 64 && { sealed: toHex(bytes) }),
            sealed_sha256: toHex(sha256(bytes)),
          };
        }),
      ),
      refused: [
        { why: "one bit changed", purpose: "upload", sealed: toHex(flipped(sealed, 33)) },
        { why: "the salt was changed", purpose: "upload", sealed: toHex(flipped(sealed, 0)) },
        { why: "cut off", purpose: "upload", sealed: toHex(sealed.subarray(0, -1)) },
        { why: "only the salt", purpose: "upload", sealed: toHex(salt) },
        { why: "sealed for another purpose", purpose: "read", sealed: toHex(sealed) },
      ],
    },
  };
}

export function signedResults(): VectorFile {
  const statement = (sealed: boolean) => ({
    task_id: TASK_ID,
    fence: 7,
    ...contentOf(utf8('{"width":100}')),
    sealed,
  });
  const signed = [false, true].map((sealed) => ({
    statement: statement(sealed),
    signed_text: `muster/result/1\n${canonicalJson(statement(sealed))}`,
    signature: sign("result", statement(sealed), SIGNING_KEY),
  }));
  return {
    about: [
      "The mesh's Ed25519 signature of a large result. Signed is `muster/result/1`, a line feed, and the statement as canonical JSON (RFC 8785).",
    ],
    vectors: {
      signing_private_key: toHex(SIGNING_KEY),
      signing_public_key: toHex(SIGNING_PUBLIC_KEY),
      signed,
      refused: [
        {
          why: "another fence",
          statement: { ...statement(false), fence: 8 },
          signature: signed[0]?.signature,
        },
        {
          why: "the signature of another statement",
          statement: statement(false),
          signature: signed[1]?.signature,
        },
      ],
    },
  };
}

/** What a vector holds of these bytes. */
export const bytesIn = (name: string, vector: Readonly<Record<string, unknown>>): Bytes => {
  const count = vector[`${name}_pattern_bytes`];
  if (typeof count === "number") return pattern(count);
  return Uint8Array.from(Buffer.from(String(vector[name]), "hex"));
};
