import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import type { PeerId } from "../../src/protocol/ids.ts";
import { seededRandom } from "../random.ts";

/** A peer's ID and public key in hex, as the coordinator stores them. */
export interface Key {
  readonly id: PeerId;
  readonly publicKey: string;
}

export function testKey(seed: number): Key {
  const pair = newKeyPair(seededRandom(seed));
  return { id: pair.id, publicKey: toHex(pair.publicKey) };
}

/** Keys of test peers, the same in every run. */
export const KEYS = [testKey(101), testKey(102), testKey(103), testKey(104)] as const;
