import { concat, fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { CHACHA_NONCE_BYTES, chachaOpen, chachaSeal, TAG_BYTES } from "./primitives/chacha.ts";

/** The first byte of every frame, which is also the additional data of its cipher. */
const VERSION = Uint8Array.of(1);
const HEADER_BYTES = VERSION.length + CHACHA_NONCE_BYTES;

/** A frame of go-p2p's generation 2: `01`, a random nonce of 12 bytes, ChaCha20-Poly1305 with the `01` as additional data. */
export function sealGoP2pFrame(key: Uint8Array, text: string, random: RandomBytes): Bytes {
  const nonce = random(CHACHA_NONCE_BYTES);
  return concat(VERSION, nonce, chachaSeal(key, nonce, utf8(text), VERSION));
}

/** The text in a frame; `undecryptable` for a frame of another version, one that is too short, and one that does not open. */
export function openGoP2pFrame(key: Uint8Array, frame: Uint8Array): Result<string, SessionFault> {
  if (frame.length < HEADER_BYTES + TAG_BYTES)
    return undecryptable(`the frame has ${frame.length} bytes, fewer than an empty one`);
  if (frame[0] !== VERSION[0])
    return undecryptable(`the frame has version ${frame[0]}; generation 2 of go-p2p has 1`);
  const nonce = frame.subarray(VERSION.length, HEADER_BYTES);
  const plaintext = chachaOpen(key, nonce, frame.subarray(HEADER_BYTES), VERSION);
  if (plaintext === null) return undecryptable("the frame does not open with this session's key");
  const text = fromUtf8(plaintext);
  return text === null
    ? err({ code: "bad_message", detail: "the message is not UTF-8" })
    : ok(text);
}

const undecryptable = (detail: string): Result<never, SessionFault> =>
  err({ code: "undecryptable", detail });
