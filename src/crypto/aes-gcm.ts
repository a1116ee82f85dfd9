import { concat, type Bytes } from "../base/bytes.ts";
import { aesGcmOpen, aesGcmSeal } from "./primitives/aes.ts";
import { TAG_BYTES } from "./primitives/chacha.ts";

/** AES-256-GCM under one key. Asynchronous because WebCrypto is, which is tens of times faster than JavaScript. */
export interface AesGcm {
  /** Ciphertext and tag. A nonce of 12 bytes must be used once only. */
  seal(nonce: Uint8Array, plaintext: Uint8Array): Promise<Bytes>;
  /** The plaintext; null when key, nonce or data differ from those used for sealing. */
  open(nonce: Uint8Array, sealed: Uint8Array): Promise<Bytes | null>;
}

/** The implementation in JavaScript, which runs everywhere. */
export const portableAesGcm = (key: Uint8Array): AesGcm => ({
  seal: async (nonce, plaintext) => aesGcmSeal(key, nonce, plaintext),
  open: async (nonce, sealed) => aesGcmOpen(key, nonce, sealed),
});

/** The implementation by WebCrypto. */
export async function nativeAesGcm(key: Uint8Array): Promise<AesGcm> {
  const { subtle } = crypto;
  const uses: ("encrypt" | "decrypt")[] = ["encrypt", "decrypt"];
  const imported = await subtle.importKey("raw", concat(key), "AES-GCM", false, uses);
  return {
    seal: async (nonce, plaintext) =>
      new Uint8Array(await subtle.encrypt(under(nonce), imported, concat(plaintext))),
    async open(nonce, sealed) {
      if (sealed.length < TAG_BYTES) return null;
      try {
        return new Uint8Array(await subtle.decrypt(under(nonce), imported, concat(sealed)));
      } catch {
        return null; // the tag does not match
      }
    },
  };
}

const under = (nonce: Uint8Array) => ({ name: "AES-GCM", iv: concat(nonce) });

/** By WebCrypto where the runtime has it (a browser has it on pages from https only), otherwise in JavaScript. */
export const platformAesGcm = async (key: Uint8Array): Promise<AesGcm> =>
  (globalThis as { crypto?: Partial<Crypto> }).crypto?.subtle === undefined
    ? portableAesGcm(key)
    : nativeAesGcm(key);
