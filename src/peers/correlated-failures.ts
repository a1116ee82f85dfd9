import { HOUR, MINUTE, type Millis } from "../base/clock.ts";

/**
 * How many peers of one group (a network or a location) fell silent within a window. When a large share does so at
 * once, the path to the group is broken rather than the peers: then the consequences for each of them are delayed.
 */
export interface FailureWindow {
  readonly windowAt: Millis;
  /** How often peers of the group fell silent in the window. A flapping peer counts each time. */
  readonly events: number;
  /** Number of the group's peers, silent ones included, when they were last counted in this window; 0 before. */
  readonly members: number;
  /** Until when the failures count as correlated; 0 when they never did. */
  readonly correlatedUntil: Millis;
  /** When the period began in which the time below is counted. */
  readonly periodAt: Millis;
  /** For how long the failures have counted as correlated in this period. */
  readonly correlatedMs: Millis;
}

/** How many peers a group has, silent ones included, and how many of them fell silent within the window. */
export interface Count {
  readonly members: number;
  readonly silent: number;
}

export const FAILURE_WINDOW: Millis = MINUTE;
/** Share of a group above which its failures are correlated. */
const CORRELATED_SHARE = 0.15;
/** Fewer failures than this are never correlated: two of ten may be a coincidence. */
const FAILURES_MIN = 5;
/** How long the failures count as correlated after the last of them. */
const CORRELATION_HOLD: Millis = 5 * MINUTE;

/**
 * The failures of one group count as correlated for so long at most in each period: a group whose peers go on failing is no path
 * that is broken for a moment, and must not delay the consequences without end.
 */
const CORRELATED_MAX: Millis = 30 * MINUTE;
export const CORRELATED_PERIOD: Millis = 6 * HOUR;

export const QUIET: FailureWindow = {
  windowAt: 0,
  events: 0,
  members: 0,
  correlatedUntil: 0,
  periodAt: 0,
  correlatedMs: 0,
};

/**
 * Records that one more peer of the group fell silent. `count` is called only when its result can matter, because
 * counting costs work and failures come in bursts: at the fifth event, and then when there are enough of them for the
 * share.
 */
export function recordFailure(
  before: FailureWindow,
  now: Millis,
  count: () => Count,
): FailureWindow {
  const silence =
    now - before.windowAt >= FAILURE_WINDOW
      ? { ...before, windowAt: now, events: 1, members: 0 }
      : { ...before, events: before.events + 1 };
  if (isCorrelated(before, now)) return hold(silence, now);
  if (silence.events < FAILURES_MIN || silence.events <= CORRELATED_SHARE * silence.members)
    return silence;
  const { members, silent } = count();
  const mass = silent >= FAILURES_MIN && silent > CORRELATED_SHARE * members;
  return mass ? hold({ ...silence, members }, now) : { ...silence, members };
}

/** The failures count as correlated until the hold after the last of them is over, as far as the period permits. */
function hold(failures: FailureWindow, now: Millis): FailureWindow {
  const isOver = now - failures.periodAt >= CORRELATED_PERIOD;
  const { periodAt, correlatedMs } = isOver ? { periodAt: now, correlatedMs: 0 } : failures;
  const from = Math.max(now, failures.correlatedUntil);
  const added = Math.max(0, Math.min(now + CORRELATION_HOLD - from, CORRELATED_MAX - correlatedMs));
  return {
    ...failures,
    periodAt,
    correlatedMs: correlatedMs + added,
    correlatedUntil: added > 0 ? from + added : failures.correlatedUntil,
  };
}

export const isCorrelated = ({ correlatedUntil }: FailureWindow, now: Millis): boolean =>
  now < correlatedUntil;

/** Peers that may fall silent together: those of one network, or of one location. */
export interface Group {
  readonly by: "network" | "colo";
  /** Empty where the platform does not report it: such peers form one group. */
  readonly name: string;
  /** Whether its peers are listed. Strangers form groups of their own: what they do delays nothing for listed peers. */
  readonly listed: boolean;
}

/** The groups that a peer belongs to. */
export function groupsOf(
  { network, colo }: Readonly<Record<Group["by"], string>>,
  listed: boolean,
): readonly Group[] {
  const groups: readonly Group[] = [
    { by: "network", name: network, listed },
    { by: "colo", name: colo, listed },
  ];
  const known = groups.filter(({ name }) => name !== "");
  return known.length > 0 ? known : groups.slice(0, 1);
}
