import { SECOND, type Millis } from "../base/clock.ts";
import { refilled, takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { ANSWERS_PER_ATTEMPT, PROGRESS_PER_SECOND, SLOTS_MAX } from "../protocol/constants.ts";

/**
 * What a peer may send about the attempts that the mesh has offered it, without spending its message allowance: every
 * message here answers an offer, so the offers bound them. Counted for the session, not for each attempt.
 */
export interface TaskCredit {
  /** Attempts that the peer holds. Corrected by what the coordinator says, because cancels and results can cross. */
  readonly attempts: number;
  /** Acceptances, refusals and results that are left. */
  readonly answers: number;
  /** Progress messages that are left. */
  readonly progress: TokenBucket;
}

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
  progress: { tokens: progressRate(attempts).max, at: now },
});

/** The credit once one more attempt is offered. */
export function offered(credit: TaskCredit, now: Millis): TaskCredit {
  const { attempts, answers, progress } = settled(credit, now);
  return {
    attempts: attempts + 1,
    answers: Math.min(ANSWERS_MAX, answers + ANSWERS_PER_ATTEMPT),
    progress: { ...progress, tokens: progress.tokens + PROGRESS_PER_SECOND },
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
    case "task_release":
    case "task_result": {
      const spent = spendAnswer(credit);
      return spent === null ? null : holding(spent, spent.attempts - 1, now);
    }
    case "task_progress": {
      const progress = takeToken(credit.progress, progressRate(credit.attempts), now);
      return progress === null ? null : { ...credit, progress };
    }
    default:
      return null;
  }
}

const spendAnswer = (credit: TaskCredit): TaskCredit | null =>
  credit.answers < 1 ? null : { ...credit, answers: credit.answers - 1 };

/** With the progress messages that were earned until now, at the number of attempts until now. */
const settled = (credit: TaskCredit, now: Millis): TaskCredit => ({
  ...credit,
  progress: refilled(credit.progress, progressRate(credit.attempts), now),
});

const progressRate = (attempts: number): TokenRate => {
  const tokens = attempts * PROGRESS_PER_SECOND;
  return { tokens, per: SECOND, max: tokens * PROGRESS_BURST_SECONDS };
};
