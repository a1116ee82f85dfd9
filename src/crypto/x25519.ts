import { concat, type Bytes } from "../base/bytes.ts";
import { x25519Agree, ladderPublicKey } from "./primitives/ladder.ts";

/** X25519 (RFC 7748) for the Noise handshake. Asynchronous because WebCrypto is. */
export interface X25519 {
  /** The public key of a private key of 32 bytes. */
  publicKey(privateKey: Uint8Array): Promise<Bytes>;
  /** The agreed secret; null when the public key is of low order or not 32 bytes. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Bytes | null>;
}

/** The implementation in JavaScript, which runs everywhere. */
export const portableX25519: X25519 = {
  publicKey: async (privateKey) => ladderPublicKey(privateKey),
  agree: async (privateKey, publicKey) => x25519Agree(privateKey, publicKey),
};

/** The implementation by WebCrypto: about twelve times faster, with the same results. */
export const nativeX25519: X25519 = {
  async publicKey(privateKey) {
    return (await derive(privateKey, BASE_POINT)) as Bytes; // never null: the base point is not of low order
  },
  async agree(privateKey, publicKey) {
    return publicKey.length === 32 ? derive(privateKey, publicKey) : null;
  },
};

/** The base point, u = 9 (RFC 7748 §4.1). Its product with a private key is the public key. */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));

/** The PKCS #8 prefix of a raw X25519 private key (RFC 8410 §7). Besides JWK, WebCrypto imports no other form. */
const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x6e,
  0x04,
  0x22,
  0x04,
  0x20,
);
const ALGORITHM = { name: "X25519" };

async function derive(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Bytes | null> {
  const { subtle } = crypto;
  const own = await subtle.importKey("pkcs8", concat(PKCS8_PREFIX, privateKey), ALGORITHM, false, [
    "deriveBits",
  ]);
  const theirs = await subtle.importKey("raw", concat(publicKey), ALGORITHM, false, []);
  try {
    const agreed = new Uint8Array(
      await subtle.deriveBits({ ...ALGORITHM, public: theirs }, own, 256),
    );
    // WebCrypto must refuse an all-zero result by its specification; this check does not rely on that.
    return agreed.every((byte) => byte === 0) ? null : agreed;
  } catch {
    return null; // the result is all zeros: the public key is of low order
  }
}

let chosen: Promise<X25519> | null = null;

/** The WebCrypto implementation if the runtime has it and it passes a self-test; otherwise the one in JavaScript. */
export function platformX25519(): Promise<X25519> {
  chosen ??= probe();
  return chosen;
}

async function probe(): Promise<X25519> {
  const privateKey = new Uint8Array(32).fill(0x5a);
  try {
    const native = await nativeX25519.publicKey(privateKey);
    return native.every((byte, i) => byte === ladderPublicKey(privateKey)[i])
      ? nativeX25519
      : portableX25519;
  } catch {
    return portableX25519; // WebCrypto is missing or does not support X25519
  }
}
