/** The cryptography of Node, for tests that share no code with Muster. */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from "node:crypto";
import { present } from "../must.ts";

export const hex = (text: string | undefined): Buffer => Buffer.from(present(text), "hex");
export const sha256 = (...parts: Uint8Array[]): Buffer =>
  createHash("sha256").update(Buffer.concat(parts)).digest();
export const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  createHmac("sha256", key).update(Buffer.concat(parts)).digest();

const X25519_PRIVATE = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_PUBLIC = Buffer.from("302a300506032b656e032100", "hex");
export const ED25519_PUBLIC = Buffer.from("302a300506032b6570032100", "hex");
export const spki = (prefix: Buffer, key: Buffer) =>
  createPublicKey({ key: Buffer.concat([prefix, key]), format: "der", type: "spki" });
export const agree = (own: Buffer, theirs: Buffer): Buffer =>
  diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([X25519_PRIVATE, own]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: spki(X25519_PUBLIC, theirs),
  });

export const nonceOf = (counter: number): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(counter), 4);
  return nonce;
};

export function seal(
  key: Buffer,
  counter: number,
  plain: Buffer,
  aad: Buffer = Buffer.alloc(0),
): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonceOf(counter), { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
