import type { Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { peerIdOf, type KeyPair } from "./identity.ts";
import { x25519PublicKey } from "./primitives/edwards.ts";

export function keyPairFrom(privateKey: Bytes): KeyPair {
  const publicKey = x25519PublicKey(privateKey);
  return { privateKey, publicKey, id: peerIdOf(publicKey) };
}

export const newKeyPair = (random: RandomBytes): KeyPair => keyPairFrom(random(KEY_BYTES));
