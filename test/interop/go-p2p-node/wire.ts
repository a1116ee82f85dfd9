/**
 * The cryptography of go-p2p's two generations, written from the description of its wire protocol with Node's own primitives. It shares
 * nothing with the mesh's implementation, so that a mistake in one does not hide in the other.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomBytes,
} from "node:crypto";

export type Generation = 1 | 2;

const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
const hmac = (key: Buffer, ...parts: Buffer[]): Buffer =>
  createHmac("sha256", key).update(Buffer.concat(parts)).digest();

/** The headers of raw X25519 keys in PKCS #8 and SPKI (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

const privateKeyOf = (raw: Buffer) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: "der", type: "pkcs8" });

export const publicKeyOf = (raw: Buffer): Buffer =>
  createPublicKey(privateKeyOf(raw)).export({ format: "der", type: "spki" }).subarray(SPKI.length);

export const idOf = (publicKey: Buffer): string =>
  sha256(publicKey).subarray(0, 16).toString("hex");

export function secretOf(ownPrivate: Buffer, peerPublic: Buffer): Buffer {
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI, peerPublic]),
    format: "der",
    type: "spki",
  });
  return sha256(diffieHellman({ privateKey: privateKeyOf(ownPrivate), publicKey }));
}

/** HKDF-Expand to 32 bytes is one HMAC. */
export const subkey = (secret: Buffer, info: string): Buffer =>
  hmac(secret, Buffer.from(info), Buffer.of(1));

export const responseTo = (challenge: Buffer, secret: Buffer, generation: Generation): Buffer =>
  hmac(generation === 1 ? secret : subkey(secret, "lthn-p2p-challenge-v1"), challenge);

export const sealed = (
  text: string,
  secret: Buffer,
  generation: Generation,
  nonce?: Buffer,
): Buffer =>
  generation === 1 ? sealSmsg(text, secret) : sealSecond(text, secret, nonce ?? randomBytes(12));

/** The text in a frame; null when it does not open, which go-p2p drops in silence. */
export const opened = (frame: Buffer, secret: Buffer, generation: Generation): string | null =>
  generation === 1 ? openSmsg(frame, secret) : openSecond(frame, secret);

const VERSION = Buffer.of(1);

function sealSecond(text: string, secret: Buffer, nonce: Buffer): Buffer {
  const key = subkey(secret, "lthn-p2p-encrypt-v1");
  return Buffer.concat([VERSION, nonce, aeadSeal(key, nonce, Buffer.from(text), VERSION)]);
}

function openSecond(frame: Buffer, secret: Buffer): string | null {
  if (frame.length < 29 || frame[0] !== 1) return null;
  const key = subkey(secret, "lthn-p2p-encrypt-v1");
  return aeadOpen(key, frame.subarray(1, 13), frame.subarray(13), VERSION)?.toString() ?? null;
}

const SMSG_HEADER = '{"algorithm":"chacha20poly1305","version":"1.0"}';
/** "SMSG", version 2, the length of the header, the header. */
const SMSG_START = Buffer.concat([
  Buffer.from("SMSG"),
  Buffer.of(2, 0, 0, 0, SMSG_HEADER.length),
  Buffer.from(SMSG_HEADER),
]);
const smsgKey = (secret: Buffer): Buffer => sha256(Buffer.from(secret.toString("base64")));

function sealSmsg(body: string, secret: Buffer): Buffer {
  const nonce = randomBytes(24);
  const text = JSON.stringify({ body, timestamp: Math.floor(Date.now() / 1_000) });
  const { key, iv } = xchacha(smsgKey(secret), nonce);
  const mixed = withKeystream(nonce, Buffer.from(text));
  return Buffer.concat([SMSG_START, nonce, aeadSeal(key, iv, mixed)]);
}

function openSmsg(frame: Buffer, secret: Buffer): string | null {
  if (!frame.subarray(0, SMSG_START.length).equals(SMSG_START)) return null;
  const nonce = frame.subarray(SMSG_START.length, SMSG_START.length + 24);
  const { key, iv } = xchacha(smsgKey(secret), nonce);
  const mixed = aeadOpen(key, iv, frame.subarray(SMSG_START.length + 24));
  if (mixed === null) return null;
  const { body } = JSON.parse(withKeystream(nonce, mixed).toString()) as { body: string };
  return body;
}

/** Borg mixes the plaintext with SHA-256(nonce + number of the block). */
function withKeystream(nonce: Buffer, data: Buffer): Buffer {
  const mixed = Buffer.from(data);
  for (let at = 0; at < data.length; at += 32) {
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(at / 32));
    const block = sha256(Buffer.concat([nonce, number]));
    for (let i = 0; i < 32 && at + i < data.length; i++)
      mixed[at + i] = (mixed[at + i] as number) ^ (block[i] as number);
  }
  return mixed;
}

/**
 * XChaCha20-Poly1305 is ChaCha20-Poly1305 under the key HChaCha20(key, first 16 bytes of the nonce). HChaCha20 is a block of the
 * ChaCha20 keystream before the addition of its input, so the input is subtracted again.
 */
function xchacha(key: Buffer, nonce: Buffer): { readonly key: Buffer; readonly iv: Buffer } {
  const iv = nonce.subarray(0, 16);
  const block = createCipheriv("chacha20", key, iv).update(Buffer.alloc(64));
  const input = Buffer.concat([Buffer.from("expand 32-byte k"), key, iv]);
  const words = [0, 1, 2, 3, 12, 13, 14, 15].map(
    (word) => (block.readUInt32LE(4 * word) - input.readUInt32LE(4 * word)) >>> 0,
  );
  const derived = Buffer.alloc(32);
  words.forEach((word, at) => derived.writeUInt32LE(word, 4 * at));
  return { key: derived, iv: Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]) };
}

const NO_AAD = Buffer.alloc(0);

function aeadSeal(key: Buffer, nonce: Buffer, text: Buffer, aad = NO_AAD): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: text.length });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function aeadOpen(key: Buffer, nonce: Buffer, data: Buffer, aad = NO_AAD): Buffer | null {
  const length = data.length - 16;
  if (length < 0) return null;
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: length });
  cipher.setAuthTag(data.subarray(length));
  try {
    return Buffer.concat([cipher.update(data.subarray(0, length)), cipher.final()]);
  } catch {
    return null; // the tag does not match
  }
}
