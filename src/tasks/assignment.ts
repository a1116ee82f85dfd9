import type { Millis, Random } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { exclusion, type Candidate, type Demand, type Exclusion } from "./eligibility.ts";

export interface Choice {
  /** The peer that gets the task; null when nobody may have it now. */
  readonly peer: Candidate | null;
  /** Who was ruled out, by which rule. */
  readonly excluded: readonly { readonly peerId: PeerId; readonly rule: Exclusion }[];
}

/**
 * Chooses who gets a task: the one function that does. The policy is `best-score`: of the peers that may have it, the
 * highest score wins, those that have not failed at it before going first; equal ones are drawn by lot, so that no
 * order of listing decides.
 */
export function choose(
  task: Demand,
  candidates: readonly Candidate[],
  _now: Millis,
  random: Random,
): Choice {
  const excluded: { peerId: PeerId; rule: Exclusion }[] = [];
  let best: Candidate | null = null;
  let equals = 0;
  for (const candidate of candidates) {
    const rule = exclusion(task, candidate);
    if (rule !== null) {
      excluded.push({ peerId: candidate.peerId, rule });
      continue;
    }
    const order = best === null ? 1 : compare(task, candidate, best);
    if (order > 0) {
      best = candidate;
      equals = 1;
    } else if (order === 0 && random() * ++equals < 1) {
      best = candidate; // reservoir sampling: each of n equals is kept with probability 1/n
    }
  }
  return { peer: best, excluded };
}

/** Positive when `a` goes before `b`. */
function compare(task: Demand, a: Candidate, b: Candidate): number {
  const fresh = Number(!task.tried.has(a.peerId)) - Number(!task.tried.has(b.peerId));
  return fresh !== 0 ? fresh : a.score - b.score;
}
