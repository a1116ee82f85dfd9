import { toBase64, type Bytes } from "../base/bytes.ts";
import type { Millis, RandomBytes } from "../base/clock.ts";
import { err, type Result } from "../base/result.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import {
  readGoP2pEnvelope,
  writeGoP2pEnvelope,
  type GoP2pEnvelope,
} from "../protocol/go-p2p-envelope.ts";
import { openSmsg, sealSmsg, smsgKey } from "./smsg.ts";

/** The key of a session of generation 1: base64(shared secret) is the password of an SMSG. */
export const firstKey = (secret: Uint8Array): Bytes => smsgKey(toBase64(secret));

/** Seals one message as a frame of generation 1. */
export const sealFirst = (key: Bytes, message: Envelope, now: Millis, random: RandomBytes): Bytes =>
  sealSmsg(key, writeGoP2pEnvelope(message, 1), now, random);

/** Opens and parses one frame of generation 1. */
export function openFirst(key: Bytes, frame: Uint8Array): Result<GoP2pEnvelope, SessionFault> {
  const body = openSmsg(key, frame);
  if (!body.ok) return err({ code: "undecryptable", detail: body.error.detail });
  return readGoP2pEnvelope(body.value);
}
