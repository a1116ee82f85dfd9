const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes backed by a plain ArrayBuffer, which WebCrypto, sockets and KV require. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const utf8 = (text: string): Bytes => encoder.encode(text);

/** The number of bytes of the text in UTF-8. */
export const utf8Length = (text: string): number => encoder.encode(text).length;

/** The text, or null for invalid UTF-8. A replacement character would make different signed bytes read alike. */
export function fromUtf8(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null; // not UTF-8
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of lower- or upper-case hex; null for any other text. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Arguments of one `String.fromCharCode` call: fewer than every engine's limit. */
const CHUNK = 0x8000;

/** Standard base64 with padding (RFC 4648 §4), as Go's `encoding/json` writes `[]byte`. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk: ArrayLike<number> = bytes.subarray(at, at + CHUNK);
    // `apply`, because spreading iterates and takes seconds for a large file.
    binary += String.fromCharCode.apply(null, chunk as number[]);
  }
  return btoa(binary);
}

/** The bytes of padded, canonical standard base64; null for any other text, so that each value has exactly one encoding. */
export function fromBase64(text: string): Bytes | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null; // misplaced padding
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const unusedBits = text.endsWith("==") ? 0b1111 : text.endsWith("=") ? 0b11 : 0;
  if (unusedBits !== 0) {
    const last = BASE64.indexOf(text.charAt(text.indexOf("=") - 1));
    if ((last & unusedBits) !== 0) return null;
  }
  return bytes;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The bytes of base64 or base64url (RFC 4648 §4, §5), with or without padding, as people copy secrets; null for any other text. The two
 * alphabets are not mixed.
 */
export function fromAnyBase64(text: string): Bytes | null {
  const isUrl = /[-_]/.test(text);
  if (isUrl && /[+/]/.test(text)) return null;
  const digits = text.replace(/={0,2}$/, "");
  if (text !== digits && text.length % 4 !== 0) return null; // wrong padding
  const standard = isUrl ? digits.replaceAll("-", "+").replaceAll("_", "/") : digits;
  return fromBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="));
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Compares in a time that depends on the lengths only: for secrets, tags and MACs. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
