import { toHex, utf8 } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { sha256 } from "../crypto/primitives.ts";
import { REPLAY_WINDOW_IDS } from "../protocol/constants.ts";

/**
 * Protection against replay over go-p2p 1.0, whose shared secret never changes: a frame of an earlier session decrypts in a
 * later one, too. The floor rejects messages of earlier sessions, the IDs reject repeated messages of this one.
 * Two flat arrays, because the window is stored in the socket's attachment (16 KiB at most).
 */
export interface IdWindow {
  /** Messages with an earlier timestamp are dropped. At first the timestamp of the pong that proved the key. */
  readonly floor: Millis;
  /** Hashes of the last message IDs, oldest first, and the timestamps of these messages. */
  readonly ids: readonly string[];
  readonly times: readonly Millis[];
}

export const newIdWindow = (floor: Millis): IdWindow => ({ floor, ids: [], times: [] });

export type Freshness = "fresh" | "duplicate" | "old";

/** Classifies a message by its ID and timestamp, and remembers it when it is fresh. */
export function checkAndRemember(
  window: IdWindow,
  id: string,
  timestamp: Millis,
): { readonly freshness: Freshness; readonly window: IdWindow } {
  if (timestamp < window.floor) return { freshness: "old", window };
  const hash = toHex(sha256(utf8(id)).subarray(0, HASH_BYTES));
  if (window.ids.includes(hash)) return { freshness: "duplicate", window };
  const ids = [...window.ids, hash];
  const times = [...window.times, timestamp];
  if (ids.length <= REPLAY_WINDOW_IDS)
    return { freshness: "fresh", window: { ...window, ids, times } };
  // A message that leaves the window can no longer be recognized, so no message as old as it is accepted any more.
  const floor = Math.max(window.floor, (times[0] as Millis) + 1);
  return { freshness: "fresh", window: { floor, ids: ids.slice(1), times: times.slice(1) } };
}

/** With 8 bytes, two of 256 IDs collide by chance in one of 10^14 sessions. */
const HASH_BYTES = 8;
