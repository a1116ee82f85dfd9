import { equalConstantTime, type Bytes } from "../base/bytes.ts";
import { hmacSha256 } from "./primitives.ts";

/** The answer to a go-p2p challenge: HMAC-SHA256(shared secret, challenge). */
export const answerChallenge = (secret: Uint8Array, challenge: Uint8Array): Bytes =>
  hmacSha256(secret, challenge);

/** Whether the response is the right answer, compared in constant time. */
export const verifyChallengeAnswer = (
  secret: Uint8Array,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean => equalConstantTime(answerChallenge(secret, challenge), response);
