import { toHex, utf8 } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { sha256 } from "../crypto/primitives.ts";
import { REPLAY_WINDOW_IDS } from "../protocol/constants.ts";

/**
 * What of a session's past messages is remembered, so that none counts twice. go-p2p's secret never changes, so a
 * frame of an earlier session decrypts in a later one too: the floor keeps those out, the IDs keep repeats out.
 * Two flat arrays, because this lies in the socket's attachment (16 KiB at most).
 */
export interface IdWindow {
  /** Messages stamped before this are dropped: the proving pong's time at first. */
  readonly floor: Millis;
  /** Hashes of the last message IDs, oldest first, with the times that the messages were stamped with. */
  readonly ids: readonly string[];
  readonly times: readonly Millis[];
}

export const newIdWindow = (floor: Millis): IdWindow => ({ floor, ids: [], times: [] });

export type Freshness = "fresh" | "duplicate" | "old";

/** Judges a message by its ID and stamp, and remembers it when it is fresh. */
export function checkAndRemember(
  window: IdWindow,
  id: string,
  stamp: Millis,
): { readonly freshness: Freshness; readonly window: IdWindow } {
  if (stamp < window.floor) return { freshness: "old", window };
  const hash = toHex(sha256(utf8(id)).subarray(0, HASH_BYTES));
  if (window.ids.includes(hash)) return { freshness: "duplicate", window };
  const ids = [...window.ids, hash];
  const times = [...window.times, stamp];
  if (ids.length <= REPLAY_WINDOW_IDS)
    return { freshness: "fresh", window: { ...window, ids, times } };
  // What falls out of the window can no longer be recognised, so nothing as old as it may come in any more.
  const floor = Math.max(window.floor, (times[0] as Millis) + 1);
  return { freshness: "fresh", window: { floor, ids: ids.slice(1), times: times.slice(1) } };
}

/** Enough that two of 256 IDs agree by chance once in 10^14 sessions. */
const HASH_BYTES = 8;
