import { SECOND, type Millis } from "../base/clock.ts";
import { PROGRESS_PER_SECOND, SLOTS_MAX } from "../protocol/constants.ts";

/**
 * What a peer may send about the attempts that the mesh has offered it, without spending its message allowance: every
 * message here answers an offer, so the offers bound them. Counted for the session, not for each attempt.
 */
export interface TaskCredit {
  /** Attempts that the peer holds. Corrected by what the coordinator says, because cancels and results can cross. */
  readonly attempts: number;
  /** Acceptances, refusals and results that are left. */
  readonly answers: number;
  /** Progress messages that are left, and when they were counted. */
  readonly progress: number;
  readonly at: Millis;
}

/** An attempt is accepted, begun if it was prefetched, and ended. */
const ANSWERS_PER_ATTEMPT = 3;
/**
 * Most attempts use fewer answers, and one that is cancelled none. What is left over is kept up to this: answers about
 * attempts that have just ended can still be on their way.
 */
const ANSWERS_MAX = 2 * ANSWERS_PER_ATTEMPT * (SLOTS_MAX + 1);
/** Seconds' worth of progress messages that may come at once: a network delivers them in bursts. */
const PROGRESS_BURST_SECONDS = 2;

/** The credit of a session whose peer holds this many attempts already. */
export const creditFor = (attempts: number, now: Millis): TaskCredit => ({
  attempts,
  answers: attempts * ANSWERS_PER_ATTEMPT,
  progress: attempts * PROGRESS_PER_SECOND * PROGRESS_BURST_SECONDS,
  at: now,
});

/** The credit once one more attempt is offered. */
export function offered(credit: TaskCredit, now: Millis): TaskCredit {
  const { attempts, answers, progress } = settled(credit, now);
  return {
    attempts: attempts + 1,
    answers: Math.min(ANSWERS_MAX, answers + ANSWERS_PER_ATTEMPT),
    progress: progress + PROGRESS_PER_SECOND,
    at: now,
  };
}

/** The credit when the peer holds so many attempts from now on: fewer progress messages are expected, or more. */
export const holding = (credit: TaskCredit, attempts: number, now: Millis): TaskCredit => ({
  ...settled(credit, now),
  attempts: Math.max(0, attempts),
});

/** The credit after a message of this type; null when the message spends the allowance instead. */
export function spendCredit(credit: TaskCredit, type: string, now: Millis): TaskCredit | null {
  switch (type) {
    case "task_accept":
      return spendAnswer(credit);
    case "task_refuse":
    case "task_result": {
      const spent = spendAnswer(credit);
      return spent === null ? null : holding(spent, spent.attempts - 1, now);
    }
    case "task_progress": {
      const counted = settled(credit, now);
      return counted.progress < 1 ? null : { ...counted, progress: counted.progress - 1 };
    }
    default:
      return null;
  }
}

const spendAnswer = (credit: TaskCredit): TaskCredit | null =>
  credit.answers < 1 ? null : { ...credit, answers: credit.answers - 1 };

/** With the progress messages that were earned until now, at the number of attempts until now. */
function settled(credit: TaskCredit, now: Millis): TaskCredit {
  const perSecond = credit.attempts * PROGRESS_PER_SECOND;
  const earned = (Math.max(0, now - credit.at) / SECOND) * perSecond;
  const progress = Math.min(perSecond * PROGRESS_BURST_SECONDS, credit.progress + earned);
  return { ...credit, progress, at: now };
}
