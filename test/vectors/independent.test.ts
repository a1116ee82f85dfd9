/**
 * The vectors again by the cryptography of Node, in code that shares nothing with Muster's: a fault that the makers of the vectors and
 * their readers have in common is noticed here. (XChaCha20-Poly1305, which Node does not have, is left out.)
 */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  verify,
} from "node:crypto";
import { expect, test } from "vitest";
import { present } from "../must.ts";
import { vectorsOf, type Texts } from "./vector-file.ts";

const hex = (text: string | undefined): Buffer => Buffer.from(present(text), "hex");
const sha256 = (...parts: Uint8Array[]): Buffer =>
  createHash("sha256").update(Buffer.concat(parts)).digest();
const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  createHmac("sha256", key).update(Buffer.concat(parts)).digest();

const X25519_PRIVATE = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_PUBLIC = Buffer.from("302a300506032b656e032100", "hex");
const ED25519_PUBLIC = Buffer.from("302a300506032b6570032100", "hex");
const spki = (prefix: Buffer, key: Buffer) =>
  createPublicKey({ key: Buffer.concat([prefix, key]), format: "der", type: "spki" });
const agree = (own: Buffer, theirs: Buffer): Buffer =>
  diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([X25519_PRIVATE, own]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: spki(X25519_PUBLIC, theirs),
  });

const nonceOf = (counter: number): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(counter), 4);
  return nonce;
};

function seal(key: Buffer, counter: number, plain: Buffer, aad: Buffer = Buffer.alloc(0)): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonceOf(counter), { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

interface Steps extends Texts {
  readonly purpose_text: string;
  readonly statement_text: string;
}

/** Every proof: HMAC-SHA256(SHA-256(purpose + agreed secret), statement). */
function proofOf(own: string | undefined, theirs: string | undefined, steps: Steps): string {
  const agreed = agree(hex(own), hex(theirs));
  expect(agreed.toString("hex")).toBe(steps["agreed"]);
  const key = sha256(Buffer.from(steps.purpose_text), agreed);
  expect(key.toString("hex")).toBe(steps["mac_key"]);
  return hmac(key, Buffer.from(steps.statement_text)).toString("hex");
}

test("PR3 proofs of keys", () => {
  const { connects, ...connect } = vectorsOf<
    { readonly connects: (Texts & { readonly steps: Steps })[] } & Texts
  >("connect-proof");
  const [own, mesh] = [connect["peer_private_key"], connect["mesh_public_key"]];
  for (const { steps, proof, host, t } of connects as never as {
    readonly steps: Steps;
    readonly proof: string;
    readonly host: string;
    readonly t: number;
  }[]) {
    expect(steps.statement_text).toBe(host + String(t));
    expect(proofOf(own, mesh, steps)).toBe(proof);
  }
  const asked = vectorsOf<{ readonly steps: Steps; readonly answer: Texts } & Texts>("mesh-proof");
  const proof = proofOf(asked["challenge_private_key"], asked["mesh_public_key"], asked.steps);
  expect(proof).toBe(asked.answer["proof"]);
  const rotation = vectorsOf<{ readonly steps: Steps; readonly payload: Texts } & Texts>(
    "key-rotation",
  );
  expect(proofOf(rotation["new_private_key"], rotation["mesh_public_key"], rotation.steps)).toBe(
    rotation.payload["proof"],
  );
});

test("PR3 the handshake, token by token", () => {
  const given = vectorsOf<{ readonly messages: Texts[] } & Texts>("noise-handshake");
  const own = (name: string) => hex(given[`${name}_private_key`]);
  const pub = (name: string) => hex(given[`${name}_public_key`]);
  let h: Buffer = Buffer.from("Noise_XX_25519_ChaChaPoly_SHA256");
  let ck: Buffer = h;
  let key: Buffer = Buffer.alloc(0);
  let n = 0;
  const mixHash = (data: Buffer) => (h = sha256(h, data));
  const mixKey = (secret: Buffer) => {
    const temporary = hmac(ck, secret);
    ck = hmac(temporary, Buffer.of(1));
    key = hmac(temporary, ck, Buffer.of(2));
    n = 0;
  };
  const encryptAndHash = (plain: Buffer) => {
    const sealed = key.length === 0 ? plain : seal(key, n++, plain, h);
    mixHash(sealed);
    return sealed;
  };
  mixHash(Buffer.from(present(given["prologue_text"])));
  expect(h.toString("hex")).toBe(given["hash_after_prologue"]);
  const [first, second, third] = given.messages.map(({ payload }) => hex(payload));
  const messages: Buffer[] = [];

  mixHash(pub("peer_ephemeral"));
  messages.push(Buffer.concat([pub("peer_ephemeral"), encryptAndHash(present(first))]));

  mixHash(pub("mesh_ephemeral"));
  mixKey(agree(own("peer_ephemeral"), pub("mesh_ephemeral")));
  const meshStatic = encryptAndHash(pub("mesh_static"));
  mixKey(agree(own("peer_ephemeral"), pub("mesh_static")));
  messages.push(
    Buffer.concat([pub("mesh_ephemeral"), meshStatic, encryptAndHash(present(second))]),
  );

  const peerStatic = encryptAndHash(pub("peer_static"));
  mixKey(agree(own("peer_static"), pub("mesh_ephemeral")));
  messages.push(Buffer.concat([peerStatic, encryptAndHash(present(third))]));

  expect(messages.map((message) => message.toString("hex"))).toEqual(
    given.messages.map(({ bytes }) => bytes),
  );
  expect(h.toString("hex")).toBe(given["handshake_hash"]);
  const temporary = hmac(ck);
  const toMesh = hmac(temporary, Buffer.of(1));
  expect(toMesh.toString("hex")).toBe(given["peer_to_mesh_key"]);
  expect(hmac(temporary, toMesh, Buffer.of(2)).toString("hex")).toBe(given["mesh_to_peer_key"]);
});

test("PR3 frames", () => {
  interface Frame extends Texts {
    readonly counter: never;
  }
  interface Direction {
    readonly key: string;
    readonly frames: Frame[];
    readonly largest: { readonly plain_bytes: number; readonly frame_sha256: string };
  }
  for (const { key, frames, largest } of vectorsOf<Direction[]>("frames")) {
    for (const { counter, nonce, plain_text: text = "", frame } of frames) {
      expect(nonceOf(counter).toString("hex")).toBe(nonce);
      expect(seal(hex(key), counter, Buffer.from(text)).toString("hex")).toBe(frame);
    }
    const large = seal(hex(key), 0, Buffer.alloc(largest.plain_bytes, "a"));
    expect(sha256(large).toString("hex")).toBe(largest.frame_sha256);
  }
});

test("PR3 tickets and sealed streams of results", () => {
  const tickets = vectorsOf<
    { readonly uploads: (Texts & { readonly content: never })[]; readonly download: Texts } & Texts
  >("result-tickets");
  const secret = hex(tickets["secret"]);
  for (const { content, ticket } of tickets.uploads) {
    const { bytes, sha256: digest } = content as {
      readonly bytes: number;
      readonly sha256: string;
    };
    const mac = hmac(secret, Buffer.from(`upload ticket ${bytes} ${digest}`)).toString("hex");
    expect(ticket).toBe(`${tickets["peer_id"]}.${bytes}.${digest}.${mac}`);
  }
  const read = hmac(secret, Buffer.from("read ticket")).toString("hex");
  expect(tickets.download["ticket"]).toBe(`${tickets["peer_id"]}.${read}`);

  const { streams, ...given } = vectorsOf<{ readonly streams: Texts[] } & Texts>("sealed-streams");
  const salt = hex(given["salt"]);
  for (const stream of streams) {
    const info = `muster/stream/1 ${stream["purpose"]}`;
    const key = Buffer.from(hkdfSync("sha256", hex(given["secret"]), salt, info, 32));
    const count = Number(stream["plain_pattern_bytes"] ?? 0);
    const plain =
      count > 0
        ? Buffer.from(Array.from({ length: count }, (_, at) => at % 251))
        : hex(stream["plain"]);
    const parts = [salt];
    const chunks = Math.max(1, Math.ceil(plain.length / 262_144));
    for (let i = 0; i < chunks; i++) {
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(i, 7);
      nonce[11] = Number(i === chunks - 1);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      parts.push(
        cipher.update(plain.subarray(i * 262_144, (i + 1) * 262_144)),
        cipher.final(),
        cipher.getAuthTag(),
      );
    }
    const sealed = Buffer.concat(parts);
    expect(sealed).toHaveLength(Number(stream["sealed_bytes"]));
    expect(sha256(sealed).toString("hex"), stream["name"]).toBe(stream["sealed_sha256"]);
  }
});

test("PR3 signatures", () => {
  interface Said {
    readonly statement: { readonly signature?: string };
    readonly signature?: string;
    readonly signed_text: string;
  }
  const results = vectorsOf<{ readonly signed: Said[] } & Texts>("signed-results");
  const discovery = vectorsOf<{ readonly statements: Said[] } & Texts>("discovery");
  const said = [...results.signed, ...discovery.statements];
  expect(said.length).toBeGreaterThan(4);
  const key = spki(ED25519_PUBLIC, hex(results["signing_public_key"]));
  for (const { signed_text: text, signature, statement } of said)
    expect(verify(null, Buffer.from(text), key, hex(signature ?? statement.signature))).toBe(true);
});

test("PR3 stanzas and header of a container for several recipients", () => {
  const given = vectorsOf<{
    readonly ephemeral_private_key: string;
    readonly ephemeral_public_key: string;
    readonly several_recipients: {
      readonly public_keys: string[];
      readonly content_key: string;
      readonly padding: string;
      readonly containers: Texts[];
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
  for (const { container } of containers) {
    const bytes = hex(container);
    const header = bytes.subarray(9, 9 + bytes.readUInt32BE(5)).toString();
    expect(JSON.parse(header)).toEqual({
      algorithm: "muster-x25519-chacha20poly1305-multi",
      ephemeral_pk: ephemeral.toString("base64"),
      keys: sorted.map((stanza) => stanza.toString("base64")),
      mac,
      version: "1.0",
    });
  }
});
