import { SECOND, type Millis } from "../base/clock.ts";
import { PROGRESS_PER_SECOND } from "../protocol/constants.ts";

/**
 * What a peer may send about the attempts that the mesh has offered it, without spending its message allowance: every
 * message here answers an offer, so the offers bound them. Counted for the session, not for each attempt: a peer that
 * answers one attempt twice spends the credit of another one, and then its allowance.
 */
export interface TaskCredit {
  /** Attempts that were offered or resumed and have not ended. */
  readonly attempts: number;
  /** Acceptances, refusals and results that are left. */
  readonly answers: number;
  /** Progress messages that are left, and when they were counted. */
  readonly progress: number;
  readonly at: Millis;
}

/** An attempt is accepted, begun if it was prefetched, and ended. */
const ANSWERS_PER_ATTEMPT = 3;
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
export const offered = (credit: TaskCredit): TaskCredit => ({
  ...credit,
  attempts: credit.attempts + 1,
  answers: credit.answers + ANSWERS_PER_ATTEMPT,
  progress: credit.progress + PROGRESS_PER_SECOND,
});

/** The credit once an attempt has ended: nothing more is expected about it. */
export function attemptEnded(credit: TaskCredit): TaskCredit {
  const attempts = Math.max(0, credit.attempts - 1);
  return { ...credit, attempts, answers: Math.min(credit.answers, attempts * ANSWERS_PER_ATTEMPT) };
}

/** The credit after a message of this type; null when the message spends the allowance instead. */
export function spendCredit(credit: TaskCredit, type: string, now: Millis): TaskCredit | null {
  switch (type) {
    case "task_accept":
      return credit.answers < 1 ? null : { ...credit, answers: credit.answers - 1 };
    case "task_refuse":
    case "task_result":
      return credit.answers < 1 ? null : attemptEnded({ ...credit, answers: credit.answers - 1 });
    case "task_progress": {
      const perSecond = credit.attempts * PROGRESS_PER_SECOND;
      const earned = (Math.max(0, now - credit.at) / SECOND) * perSecond;
      const progress = Math.min(perSecond * PROGRESS_BURST_SECONDS, credit.progress + earned);
      return progress < 1 ? null : { ...credit, progress: progress - 1, at: now };
    }
    default:
      return null;
  }
}
