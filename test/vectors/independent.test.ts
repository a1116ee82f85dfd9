/**
 * The vectors again by the cryptography of Node, in code that shares nothing with Muster's: a fault that the makers of the vectors and
 * their readers have in common is noticed here.
 */
import { createCipheriv, hkdfSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import { present } from "../must.ts";
import { agree, ED25519_PUBLIC, hex, hmac, nonceOf, seal, sha256, spki } from "./node-crypto.ts";
import { vectorsOf, type Texts } from "./vector-file.ts";

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
    {
      readonly uploads: (Texts & { readonly content: never })[];
      readonly download: Texts;
      readonly payload: Texts;
    } & Texts
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
  const payload = hmac(secret, Buffer.from("payload ticket")).toString("hex");
  expect(tickets.payload["ticket"]).toBe(`${tickets["peer_id"]}.${payload}`);

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

test("PR3 peer IDs, and what discovery derives from its secrets", () => {
  for (const { public_key: key, peer_id: id } of vectorsOf<Texts[]>("peer-ids"))
    expect(sha256(hex(key)).subarray(0, 16).toString("hex")).toBe(id);
  const given = vectorsOf<{ readonly epoch_keys: Texts; readonly pointer_ids: Texts[] } & Texts>(
    "discovery",
  );
  const secret = hex(given.epoch_keys["pointer_secret"]);
  for (const { peer_id: peer = "", pointer_id: pointer } of given.pointer_ids)
    expect(hmac(secret, Buffer.from(peer)).subarray(0, 16).toString("hex")).toBe(pointer);
  const none = Buffer.alloc(0);
  const token = Buffer.from(hkdfSync("sha256", secret, none, "muster/discovery reader v1", 32));
  expect(token.toString("hex")).toBe(given["reader_token"]);
  const tag = hmac(
    Buffer.from(token.toString("hex")),
    Buffer.from("muster/discovery reader tag v1"),
  );
  expect(tag.toString("hex")).toBe(given["reader_tag"]);
});

test("PR3 signatures of callbacks", () => {
  interface Case {
    readonly name: string;
    readonly headers: Texts;
    readonly body_text: string;
    readonly accepted: boolean;
    readonly secrets: readonly string[];
  }
  const accepted = vectorsOf<{ readonly cases: Case[] }>("callbacks").cases.filter(
    (each) => each.accepted,
  );
  expect(accepted.length).toBeGreaterThan(4);
  for (const { name, headers, body_text: body, secrets } of accepted) {
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const right = secrets.map((secret) => {
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      return `v1,${hmac(key, Buffer.from(signed)).toString("base64")}`;
    });
    const shown = (headers["webhook-signature"] ?? "").split(" ");
    expect(
      right.some((signature) => shown.includes(signature)),
      name,
    ).toBe(true);
  }
});
