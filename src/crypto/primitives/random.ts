import type { RandomBytes } from "../../base/clock.ts";

/** Cryptographically secure random bytes from the platform. Only entry points use it; other code receives `RandomBytes`. */
export const platformRandom: RandomBytes = (length) =>
  crypto.getRandomValues(new Uint8Array(length));
