import { MINUTE, type Millis } from "../base/clock.ts";

/**
 * How many peers of one group (a network, a place) fell silent within a window. When that is a large share at once, the
 * group's path is broken rather than its peers: then what would follow for each of them is slowed down.
 */
export interface FailureWindow {
  readonly windowAt: Millis;
  /** Times that peers of the group fell silent in the window; one that flaps is in it again and again. */
  readonly events: number;
  /** Peers that the group had, silent ones included, when they were last counted in this window; 0 before. */
  readonly members: number;
  /** Until when the silence counts as one of masses; 0 when it never did. */
  readonly massUntil: Millis;
}

/** How many peers a group has, the silent ones included, and how many of them fell silent within the window. */
export interface Count {
  readonly members: number;
  readonly silent: number;
}

export const FAILURE_WINDOW: Millis = MINUTE;
/** Share of a group above which its silence is one of masses. */
const SHARE = 0.15;
/** Fewer than this many are never a mass: two of ten is bad luck. */
const FAILURES_MIN = 5;
/** How long the exception holds after the last peer that fell silent in it. */
const MASS_HOLD: Millis = 5 * MINUTE;

export const QUIET: FailureWindow = { windowAt: 0, events: 0, members: 0, massUntil: 0 };

/**
 * One more peer of the group fell silent. `count` is asked only when the answer can matter, for counting is work and
 * silences come in hordes: at the fifth event, and then when there are enough of them for the share.
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
  if (isCorrelated(before, now)) return { ...silence, massUntil: now + MASS_HOLD };
  if (silence.events < FAILURES_MIN || silence.events <= SHARE * silence.members) return silence;
  const { members, silent } = count();
  const mass = silent >= FAILURES_MIN && silent > SHARE * members;
  return { ...silence, members, massUntil: mass ? now + MASS_HOLD : silence.massUntil };
}

export const isCorrelated = ({ massUntil }: FailureWindow, now: Millis): boolean => now < massUntil;

/** Peers that may fall silent together: those of a network, those of a place. */
export interface Group {
  readonly by: "network" | "colo";
  /** Empty where the platform does not say: such peers are one group. */
  readonly name: string;
}

/** The groups that a peer belongs to. */
export function groupsOf({
  network,
  colo,
}: Readonly<Record<Group["by"], string>>): readonly Group[] {
  const groups: readonly Group[] = [
    { by: "network", name: network },
    { by: "colo", name: colo },
  ];
  const known = groups.filter(({ name }) => name !== "");
  return known.length > 0 ? known : groups.slice(0, 1);
}
