import { MINUTE, type Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";

/** A peer whose connection was lost, and that has not come back. */
export interface LostPeer {
  readonly id: PeerId;
  readonly name: string;
  /** Ahead of now by `RESTART_PAUSE_MAX` at most, while the mesh has told it to wait. */
  readonly lostAt: Millis;
}

/** Peers that were lost within this time of each other were lost at once: a deadline finds out about each at its own time. */
const WINDOW: Millis = 2 * MINUTE;
/** They are a mass failure only if they are more than this share of all. */
const SHARE = 0.1;
/** An alert that fires goes on down to this part of its thresholds. */
const WHILE_FIRING = 0.5;

/**
 * The lost peers that are part of a mass failure, the longest lost first; none if there is no mass failure.
 *
 * @param lost the longest lost first
 * @param all how many peers there are, lost ones included; called only if there may be a mass failure
 */
export function massFailure(
  lost: readonly LostPeer[],
  threshold: number,
  isFiring: boolean,
  all: () => number,
): readonly LostPeer[] {
  const part = isFiring ? WHILE_FIRING : 1;
  const atOnce = lostAtOnce(lost, Math.max(1, Math.ceil(threshold * part)));
  return atOnce.length > 0 && atOnce.length > all() * SHARE * part ? atOnce : [];
}

/** The peers of every window in which at least `min` were lost. */
function lostAtOnce(lost: readonly LostPeer[], min: number): readonly LostPeer[] {
  let [first, added] = [0, 0];
  const found: LostPeer[] = [];
  for (const [last, { lostAt }] of lost.entries()) {
    while (lostAt - (lost[first]?.lostAt ?? lostAt) > WINDOW) first++;
    if (last - first + 1 < min) continue;
    found.push(...lost.slice(Math.max(first, added), last + 1));
    added = last + 1;
  }
  return found;
}
