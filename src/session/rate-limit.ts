import { SECOND, type Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from "../protocol/constants.ts";

const ALLOWANCE: TokenRate = { tokens: MESSAGES_PER_SECOND, per: SECOND, max: MESSAGES_BURST };

/** The message allowance of a new session. */
export const fullAllowance = (now: Millis): TokenBucket => ({ tokens: MESSAGES_BURST, at: now });

/** The allowance after one more message; null when none was left. */
export const spendAllowance = (bucket: TokenBucket, now: Millis): TokenBucket | null =>
  takeToken(bucket, ALLOWANCE, now);
