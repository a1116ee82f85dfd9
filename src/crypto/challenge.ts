import { equalConstantTime, type Bytes } from "../base/bytes.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { derivedKey } from "./go-p2p-keys.ts";
import { hmacSha256 } from "./primitives/hashes.ts";

/**
 * The answer to a go-p2p challenge: HMAC-SHA256 under the shared secret (generation 1) or under a key derived from it (2).
 *
 * The challenge must have exactly 32 bytes. Deriving a key of generation 2 is an HMAC under the shared secret of a text of 16 to 22
 * bytes, so generation 1's answer to such a text would be that key.
 */
export const answerChallenge = (
  secret: Uint8Array,
  challenge: Uint8Array,
  generation: GoP2pGeneration,
): Bytes => hmacSha256(challengeKey(secret, generation), challenge);

/** Whether the response is the right answer, compared in constant time. */
export const verifyChallengeAnswer = (
  secret: Uint8Array,
  challenge: Uint8Array,
  response: Uint8Array,
  generation: GoP2pGeneration,
): boolean => equalConstantTime(answerChallenge(secret, challenge, generation), response);

const challengeKey = (secret: Uint8Array, generation: GoP2pGeneration): Uint8Array =>
  generation === 1 ? secret : derivedKey(secret, "challenge");
