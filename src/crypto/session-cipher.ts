import { toBase64, type Bytes } from "../base/bytes.ts";
import type { Millis, RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { readEnvelope, type Envelope } from "../protocol/envelope.ts";
import { openSmsg, sealSmsg, smsgKey } from "./smsg.ts";

/** The key of go-p2p's frames. go-p2p uses base64(shared secret) as the password of an SMSG. */
export const frameKey = (secret: Uint8Array): Bytes => smsgKey(toBase64(secret));

/** Seals one message as a go-p2p frame. */
export const sealFrame = (
  key: Uint8Array,
  message: Envelope,
  now: Millis,
  random: RandomBytes,
): Bytes => sealSmsg(key, JSON.stringify(message), now, random);

/** Opens and parses one frame: `undecryptable`, or `bad_message` when its content is not an envelope. */
export function openFrame(key: Uint8Array, frame: Uint8Array): Result<Envelope, SessionFault> {
  const body = openSmsg(key, frame);
  if (!body.ok) return err({ code: "undecryptable", detail: body.error.detail });
  const envelope = readEnvelope(body.value);
  return envelope.ok ? ok(envelope.value) : envelope;
}
