import { equalConstantTime, type Bytes } from "../base/bytes.ts";
import { hmacSha256 } from "./primitives.ts";

/** go-p2p's answer to a challenge: HMAC-SHA256(shared secret, challenge). */
export const answerChallenge = (secret: Uint8Array, challenge: Uint8Array): Bytes =>
  hmacSha256(secret, challenge);

export const verifyChallengeAnswer = (
  secret: Uint8Array,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean => equalConstantTime(answerChallenge(secret, challenge), response);
