/** STMF containers again, opened by the cryptography of Node and an HChaCha20 of this file. */
import { createDecipheriv, hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { present } from "../must.ts";
import { agree, hex, hmac, seal, sha256 } from "./node-crypto.ts";
import { vectorsOf, type Texts } from "./vector-file.ts";

const rotated = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/** HChaCha20 (draft-irtf-cfrg-xchacha-03, section 2.2). */
function hChaCha20(key: Buffer, nonce: Buffer): Buffer {
  const words = (bytes: Buffer) =>
    Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
  const x = Int32Array.from([
    ...words(Buffer.from("expand 32-byte k")),
    ...words(key),
    ...words(nonce),
  ]);
  const at = (i: number) => x[i] as number;
  const quarter = (a: number, b: number, c: number, d: number) => {
    for (const [to, by, mix, bits] of [
      [a, b, d, 16],
      [c, d, b, 12],
      [a, b, d, 8],
      [c, d, b, 7],
    ] as const) {
      x[to] = at(to) + at(by);
      x[mix] = rotated(at(mix) ^ at(to), bits);
    }
  };
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(i, i + 4, i + 8, i + 12);
    for (let i = 0; i < 4; i++)
      quarter(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) {
    out.writeInt32LE(at(i), 4 * i);
    out.writeInt32LE(at(12 + i), 16 + 4 * i);
  }
  return out;
}

/** The form in a payload: XChaCha20-Poly1305, then the mask. */
function openPayload(key: Buffer, payload: Buffer): unknown {
  const nonce = payload.subarray(0, 24);
  const subkey = hChaCha20(key, nonce.subarray(0, 16));
  const inner = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const cipher = createDecipheriv("chacha20-poly1305", subkey, inner, { authTagLength: 16 });
  cipher.setAuthTag(payload.subarray(-16));
  const masked = Buffer.concat([cipher.update(payload.subarray(24, -16)), cipher.final()]);
  const plain = masked.map((byte, i) => {
    const block = Buffer.alloc(8);
    block.writeBigUInt64BE(BigInt(Math.floor(i / 32)));
    return byte ^ (sha256(nonce, block)[i % 32] as number);
  });
  return JSON.parse(Buffer.from(plain).toString());
}

const parted = (container: Buffer) => {
  const end = 9 + container.readUInt32BE(5);
  const header = JSON.parse(container.subarray(9, end).toString()) as Texts;
  return { header, payload: container.subarray(end) };
};

interface Sealed {
  readonly form: object;
  readonly container: string;
}

test("PR3 containers for one recipient", () => {
  const given = vectorsOf<
    { readonly one_recipient: Sealed[]; readonly sealed_result: Texts } & Texts
  >("stmf");
  const own = hex(given["recipient_private_key"]);
  const open = (container: string | undefined) => {
    const { header, payload } = parted(hex(container));
    const ephemeral = Buffer.from(present(header["ephemeral_pk"]), "base64");
    return openPayload(sha256(agree(own, ephemeral)), payload);
  };
  for (const { form, container } of given.one_recipient) expect(open(container)).toEqual(form);
  expect(open(given.sealed_result["container"])).toEqual({
    fields: [{ name: "result", value: given.sealed_result["result_text"] }],
  });
});

test("PR3 the record of discovery is padded to 1,024 bytes", () => {
  const given = vectorsOf<{
    readonly epoch_keys: Texts;
    readonly record: { readonly blob: string; readonly record: Texts };
  }>("discovery");
  const { header, payload } = parted(hex(given.record.blob));
  const ephemeral = Buffer.from(present(header["ephemeral_pk"]), "base64");
  const key = sha256(agree(hex(given.epoch_keys["private_key"]), ephemeral));
  expect(payload).toHaveLength(24 + 1_024 + 16);
  const { fields } = openPayload(key, payload) as { readonly fields: readonly Texts[] };
  expect(fields[0]).toMatchObject({ name: "id", value: given.record.record["id"] });
});

test("PR3 containers for several recipients: stanzas, header and payload", () => {
  const given = vectorsOf<{
    readonly ephemeral_private_key: string;
    readonly ephemeral_public_key: string;
    readonly several_recipients: {
      readonly public_keys: string[];
      readonly content_key: string;
      readonly padding: string;
      readonly containers: Sealed[];
    };
  }>("stmf");
  const { public_keys: keys, content_key: content, padding, containers } = given.several_recipients;
  const ephemeral = hex(given.ephemeral_public_key);
  const stanzas = keys.map((recipient) => {
    const secret = sha256(agree(hex(given.ephemeral_private_key), hex(recipient)));
    const salt = Buffer.concat([ephemeral, hex(recipient)]);
    const key = Buffer.from(hkdfSync("sha256", secret, salt, "muster/stmf wrap", 32));
    return seal(key, 0, hex(content));
  });
  const sorted = [...stanzas, hex(padding)].toSorted((a, b) => Buffer.compare(a, b));
  const macKey = Buffer.from(
    hkdfSync("sha256", hex(content), Buffer.alloc(0), "muster/stmf header", 32),
  );
  const mac = hmac(macKey, ephemeral, ...sorted).toString("base64");
  const payloadKey = Buffer.from(
    hkdfSync("sha256", hex(content), Buffer.alloc(0), "muster/stmf payload", 32),
  );
  for (const { container, form } of containers) {
    const { header, payload } = parted(hex(container));
    expect(openPayload(payloadKey, payload)).toEqual(form);
    expect(header).toEqual({
      algorithm: "muster-x25519-chacha20poly1305-multi",
      ephemeral_pk: ephemeral.toString("base64"),
      keys: sorted.map((stanza) => stanza.toString("base64")),
      mac,
      version: "1.0",
    });
  }
});
