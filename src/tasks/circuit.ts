import { backoffPause } from "../base/backoff.ts";
import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import { USUAL_FAILURE_RATE } from "./failure-rate.ts";

/*
 * A circuit breaker for a peer, or for a peer and a kind. It opens when failures pile up: the peer rests, then one task
 * at a time probes it, and a success closes the circuit.
 *
 * The evidence is a one-sided CUSUM (E. S. Page, "Continuous Inspection Schemes", Biometrika 1954): the sum of the
 * logarithms of how much likelier each outcome is at a broken peer than at a usual one, never below 0. It forgets a
 * long good past at once, and a peer that fails now and then never reaches the threshold.
 */

/** One circuit, as it is stored. Every number is finite. */
export interface Circuit {
  /** The evidence that the peer is broken: a logarithm of a likelihood ratio, 0 or more. */
  readonly evidence: number;
  readonly failuresInRow: number;
  readonly refusalsInRow: number;
  /** How often it opened. The count halves with every `OPENINGS_HALF_LIFE` in which the circuit is closed. */
  readonly openings: number;
  /** Until when the peer rests; null while the circuit is closed. */
  readonly restsUntil: Millis | null;
  /** When it was closed for the last time: `openings` holds for that time. */
  readonly closedAt: Millis;
  /** Why it is open; null while it is closed. */
  readonly reason: string | null;
}

/**
 * Closed: gets tasks. Open: rests. Refusing: rests because it refused the kind, which says nothing about whether others can
 * do it. Half-open: one task at a time probes it.
 */
export type CircuitState = "closed" | "open" | "refusing" | "half_open";

export const NEW_CIRCUIT: Circuit = {
  evidence: 0,
  failuresInRow: 0,
  refusalsInRow: 0,
  openings: 0,
  restsUntil: null,
  closedAt: 0,
  reason: null,
};

/**
 * The first rest, and the longest. Each opening doubles it. The caller adds jitter (`quarterJitter`), so that none is
 * longer than 5 min.
 */
export const REST_MIN: Millis = 5 * SECOND;
export const REST_MAX: Millis = 4 * MINUTE;
/** The longest rest with its jitter. One that would last longer began before the clock was set back, and is over. */
const REST_WITH_JITTER_MAX: Millis = 1.25 * REST_MAX;
/** A peer that never did the kind rests as if it had been opened this often before: it may never be able to do it. */
const OPENINGS_OF_NEW = 3;
/** A peer that fails again soon after it was closed rests longer: its earlier openings still count. */
const OPENINGS_HALF_LIFE: Millis = 10 * MINUTE;

/** The failure rate of a broken peer. A kind that fails this often at all peers opens no circuit. */
const BROKEN_FAILURE_RATE = 0.9;
/** Just below three failures at the usual rate (3 ln 9 = 6.59). */
const OPENS_AT = 6.3;
/** A circuit that closes keeps this much: a peer that was broken a moment ago opens after two failures. */
const KEPT_ON_CLOSE = OPENS_AT / 2;
/** A failure of less weight says too little about the peer to fail a probe. */
const PROBE_FAILS_FROM = 0.5;
/** Refusals in a row of a kind that the peer never did, after which it rests. */
const REFUSALS_MAX = 2;
const REASON_LENGTH_MAX = 200;

/** What a success takes from the evidence. */
const SUCCESS_EVIDENCE = Math.log((1 - BROKEN_FAILURE_RATE) / (1 - USUAL_FAILURE_RATE));

/** What a failure adds: nothing where failures are as frequent at all peers as at a broken one. */
const failureEvidence = (baseRate: number): number =>
  Math.max(0, Math.log(BROKEN_FAILURE_RATE / Math.max(USUAL_FAILURE_RATE, baseRate)));

export function circuitState(circuit: Circuit, now: Millis): CircuitState {
  if (circuit.restsUntil === null) return "closed";
  if (now >= circuit.restsUntil || now < circuit.restsUntil - REST_WITH_JITTER_MAX)
    return "half_open";
  return circuit.refusalsInRow >= REFUSALS_MAX ? "refusing" : "open";
}

export interface Failure {
  /** How much it says about the peer, 0..1: see `failureWeight`. */
  readonly weight: number;
  /** The failure rate that is usual for the kind and the peer, 0..1: see `usualRate`. */
  readonly baseRate: number;
  /** Whether the peer ever did a task of this kind. */
  readonly everSucceeded: boolean;
  /**
   * Whether a caller has ended the attempt early. Such a failure is
   * evidence by its weight, and none of the failures in a row.
   */
  readonly endedEarly?: boolean;
  readonly error: string;
  readonly now: Millis;
}

/** Whether a failure of this weight says enough about the peer to fail a probe. */
export const failsProbe = (weight: number): boolean => weight >= PROBE_FAILS_FROM;

/**
 * The circuit after a failure. While it is open, failures of earlier attempts change nothing; a probe that fails opens
 * it again for longer.
 */
export function afterFailure(
  circuit: Circuit,
  { weight, baseRate, everSucceeded, endedEarly = false, error, now }: Failure,
): Circuit {
  const failuresInRow = circuit.failuresInRow + (endedEarly ? 0 : 1);
  const evidence = Math.min(2 * OPENS_AT, circuit.evidence + weight * failureEvidence(baseRate));
  const state = circuitState(circuit, now);
  const failed = { ...circuit, evidence, failuresInRow };
  if (state === "open" || state === "refusing") return failed;
  const reason =
    failuresInRow <= 1 ? `failed: ${error}` : `failed ${failuresInRow} times in a row: ${error}`;
  const opens = state === "half_open" ? failsProbe(weight) : evidence >= OPENS_AT;
  const heard = { ...failed, refusalsInRow: 0 };
  return opens ? opened(heard, reason, everSucceeded, now) : heard;
}

export interface Refusal {
  /** Whether the peer ever did a task of this kind. Then it refuses because it is busy, and keeps its standing. */
  readonly everSucceeded: boolean;
  readonly reason: string;
  readonly now: Millis;
}

/** The circuit after a refusal: a peer that refused the kind twice and never did it rests. */
export function afterRefusal(circuit: Circuit, { everSucceeded, reason, now }: Refusal): Circuit {
  const state = circuitState(circuit, now);
  if (state === "open") return circuit;
  const refused = { ...circuit, refusalsInRow: circuit.refusalsInRow + 1 };
  if (everSucceeded || state === "refusing" || refused.refusalsInRow < REFUSALS_MAX) return refused;
  const why = `refused ${refused.refusalsInRow} times, never done: ${reason}`;
  return opened(refused, why, everSucceeded, now);
}

/**
 * The circuit after a success. A success of a probe closes it. One that comes while it is open, from an attempt that began
 * before or in a panic, halves the rest: the peer is not wholly broken.
 */
export function afterSuccess(circuit: Circuit, now: Millis): Circuit {
  const state = circuitState(circuit, now);
  if (state === "open" && circuit.restsUntil !== null)
    return { ...circuit, restsUntil: Math.ceil((now + circuit.restsUntil) / 2) };
  if (state === "refusing") return circuit;
  const done = { ...circuit, failuresInRow: 0, refusalsInRow: 0 };
  if (state === "half_open") return closed(done, now);
  return { ...done, evidence: Math.max(0, circuit.evidence + SUCCESS_EVIDENCE) };
}

/**
 * Takes a failure back that an earlier attempt was given, because other peers failed at the same task. Closes the circuit
 * when it would not have opened without it.
 */
export function afterExoneration(
  circuit: Circuit,
  { weight, baseRate, now }: Pick<Failure, "weight" | "baseRate" | "now">,
): Circuit {
  const evidence = Math.max(0, circuit.evidence - weight * failureEvidence(baseRate));
  const cleared = { ...circuit, evidence, failuresInRow: Math.max(0, circuit.failuresInRow - 1) };
  if (circuit.restsUntil === null || evidence >= OPENS_AT || circuit.refusalsInRow > 0)
    return cleared;
  return { ...closed(cleared, now), evidence, openings: Math.max(0, circuit.openings - 1) };
}

function opened(circuit: Circuit, reason: string, everSucceeded: boolean, now: Millis): Circuit {
  const before = openingsAt(circuit, now);
  const openings = (everSucceeded ? before : Math.max(before, OPENINGS_OF_NEW)) + 1;
  return {
    ...circuit,
    openings,
    restsUntil: now + backoffPause({ initial: REST_MIN, max: REST_MAX }, openings),
    reason: reason.slice(0, REASON_LENGTH_MAX),
  };
}

const closed = (circuit: Circuit, now: Millis): Circuit => ({
  ...circuit,
  evidence: KEPT_ON_CLOSE,
  restsUntil: null,
  closedAt: now,
  reason: null,
});

/** How many openings count now. A clock that was set back leaves them unchanged. */
const openingsAt = ({ openings, restsUntil, closedAt }: Circuit, now: Millis): number =>
  restsUntil === null
    ? openings * 2 ** (-Math.max(0, now - closedAt) / OPENINGS_HALF_LIFE)
    : openings;

/**
 * Whether the peer gets one task of the kind at a time: while its circuit is not closed, and after a failure at a kind that
 * it never did.
 */
export const isProbed = (circuit: Circuit, everSucceeded: boolean): boolean =>
  circuit.restsUntil !== null || (!everSucceeded && circuit.failuresInRow > 0);

/** Whether nothing of the circuit needs to be stored: it is, or soon is, as a new one. */
export const isAsNew = (circuit: Circuit, now: Millis): boolean =>
  circuit.restsUntil === null &&
  circuit.evidence === 0 &&
  circuit.refusalsInRow === 0 &&
  openingsAt(circuit, now) < 0.1;

/** From the worst to the best. */
const STATES: readonly CircuitState[] = ["refusing", "open", "half_open", "closed"];

/** The state of a peer for a kind, from the circuit of the peer and that of the peer and the kind. */
export const jointState = (states: readonly CircuitState[]): CircuitState =>
  STATES.find((state) => states.includes(state)) ?? "closed";

/**
 * How much a failure at a kind says about the peer as a whole: half as much with each more in a row at the same kind. So
 * one kind alone never opens the circuit of the peer, and two kinds that fail do.
 *
 * @param failuresInRow of the peer at this kind, with this one
 */
export const peerWeight = (failuresInRow: number): number => 2 ** (1 - Math.max(1, failuresInRow));

/**
 * How much a failure says about the peer, when other peers failed at the same task before: the first counts in full,
 * the second and later ones speak against the task.
 *
 * @param others number of different peers, themselves in good standing, that failed at this task before
 */
export const failureWeight = (others: number): number =>
  others === 0 ? 1 : others === 1 ? 0.25 : 0.1;

/** How much of the first peer's failure is taken back when a second peer fails at the same task. */
export const EXONERATED_WEIGHT = 0.75;

/**
 * Whether the circuits are ignored, apart from that a resting peer gets one task at a time: when over half of all
 * peers that could do the kind rest, the kind or the mesh is broken rather than the peers.
 *
 * @param resting number of those whose circuit is open
 * @param capable number of all connected peers that could do the task if none rested, whether they have a free slot or not;
 * without those that refuse it
 */
export const isPanic = (resting: number, capable: number): boolean => 2 * resting > capable;
