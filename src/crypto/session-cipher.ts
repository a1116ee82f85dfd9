import type { Bytes } from "../base/bytes.ts";
import type { Millis, RandomBytes } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import {
  readGoP2pEnvelope,
  writeGoP2pEnvelope,
  type GoP2pEnvelope,
} from "../protocol/go-p2p-envelope.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { openGoP2pFrame, sealGoP2pFrame } from "./go-p2p-frame.ts";
import { derivedKey } from "./go-p2p-keys.ts";
import { unwrapEnvelope } from "./signed-envelope.ts";
import { firstKey, openFirst, sealFirst } from "./first-generation-cipher.ts";

/** How the frames of a go-p2p session are sealed. */
export interface FrameCipher {
  readonly generation: GoP2pGeneration;
  readonly key: Bytes;
}

/** The cipher of two peers with this shared secret. Generation 1 uses base64(shared secret) as the password of an SMSG. */
export const frameCipher = (secret: Uint8Array, generation: GoP2pGeneration): FrameCipher => ({
  generation,
  key: generation === 1 ? firstKey(secret) : derivedKey(secret, "encrypt"),
});

/** Seals one message as a go-p2p frame. */
export function sealFrame(
  { generation, key }: FrameCipher,
  message: Envelope,
  now: Millis,
  random: RandomBytes,
): Bytes {
  return generation === 1
    ? sealFirst(key, message, now, random)
    : sealGoP2pFrame(key, writeGoP2pEnvelope(message, generation), random);
}

/** Opens and parses one frame: `undecryptable`, or `bad_message` when its content is not an envelope. */
export function openFrame(cipher: FrameCipher, frame: Uint8Array): Result<Envelope, SessionFault> {
  const opened =
    cipher.generation === 1 ? openFirst(cipher.key, frame) : openSecond(cipher.key, frame);
  return opened.ok ? { ok: true, value: opened.value.envelope } : opened;
}

function openSecond(key: Bytes, frame: Uint8Array): Result<GoP2pEnvelope, SessionFault> {
  const text = openGoP2pFrame(key, frame);
  if (!text.ok) return text;
  const message = unwrapEnvelope(text.value);
  return message.ok ? readGoP2pEnvelope(message.value) : message;
}
