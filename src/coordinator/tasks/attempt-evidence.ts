import { quarterJitter } from "../../base/backoff.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import {
  afterExoneration,
  afterFailure,
  afterRefusal,
  afterSuccess,
  circuitState,
  EXONERATED_WEIGHT,
  failureWeight,
  peerWeight,
  type Circuit,
} from "../../tasks/circuit.ts";
import { countAttempt, kindWeight, usualRate } from "../../tasks/failure-rate.ts";
import { timeoutShare } from "../../tasks/held-share.ts";
import type { Attempt, Task } from "../../tasks/task.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import type { Context } from "../kernel/context.ts";
import { takeBackFailure } from "../peers/scored-peers.ts";
import { restingAt } from "./circuits.ts";

/*
 * What the end of an attempt says: about the peer and about the peer at the kind (circuits), about the kind (its failure
 * rate), and, when different peers fail at the same task, about the task.
 */

/** Refusals in a row after which a peer rests although it did tasks of the kind before. */
const REFUSALS_OF_A_DOER_MAX = 8;
/** How much a failed probe counts among the outcomes: it was expected to fail, and a peer that is mended must not pay for it. */
const PROBE_OUTCOME_WEIGHT = 0.25;

export function noteSuccess(context: Context, peerId: PeerId, kind: string): void {
  const { circuits, kinds } = context.registry;
  for (const scope of [WHOLE_PEER, kind]) {
    const circuit = circuits.known(peerId, scope);
    if (circuit !== null) change(context, peerId, scope, afterSuccess(circuit, context.now));
  }
  const known = kinds.get(kind);
  // A kind that never failed is as unknown kinds are.
  if (known.failures !== null)
    kinds.put(kind, { ...known, failures: countAttempt(known.failures, false, 1) });
}

/** How an attempt failed. */
interface AttemptFailure {
  readonly error: string;
  /** How much of a failure it is, 0..1 (`timeoutShare`). Absent: all of it. */
  readonly share?: number;
  /** Whether a caller has ended the attempt before it said much about the peer. */
  readonly endedEarly?: boolean;
}

/**
 * An attempt failed or took too long. Returns how much that says about the peer, 0..1: little when other peers, in good
 * standing, have failed at the same task. The first of them gets most of its failure back.
 */
export function noteFailure(
  context: Context,
  task: Task,
  { error, share = 1, endedEarly = false }: AttemptFailure,
): number {
  const { registry, now } = context;
  const { kind, peerId } = task;
  if (peerId === null) return 1;
  const others = othersThatFailed(context, task, peerId);
  const known = registry.kinds.get(kind);
  const { outcomes } = registry.observed.get(peerId) ?? nothingObserved(now);
  const baseRate = usualRate(known.failures, outcomes, now);
  const weight = share * failureWeight(others.length);
  const everSucceeded = registry.serviceTimes.get(peerId, kind) !== null;
  const state = restingAt(context, kind).get(peerId);
  const failure = { baseRate, everSucceeded, endedEarly, error, now };
  const ofKind = afterFailure(registry.circuits.get(peerId, kind), { ...failure, weight });
  const { failuresInRow } = ofKind;
  change(context, peerId, kind, ofKind);
  if (!endedEarly) {
    const ofPeer = { ...failure, weight: weight * peerWeight(failuresInRow) };
    const whole = registry.circuits.get(peerId, WHOLE_PEER);
    change(context, peerId, WHOLE_PEER, afterFailure(whole, ofPeer));
  }
  const [first] = others;
  if (others.length === 1 && first !== undefined)
    exonerate(context, task, first, { baseRate, share });
  const failures = countAttempt(
    known.failures,
    true,
    weight * kindWeight(failuresInRow, everSucceeded),
  );
  registry.kinds.put(kind, { ...known, failures, usedAt: now });
  return state === undefined ? weight : PROBE_OUTCOME_WEIGHT * weight;
}

export function noteRefusal(
  context: Context,
  { kind, peerId }: Pick<Task, "kind" | "peerId">,
  reason: string,
): void {
  if (peerId === null) return;
  const { circuits, serviceTimes } = context.registry;
  const circuit = circuits.get(peerId, kind);
  const everSucceeded =
    serviceTimes.get(peerId, kind) !== null && circuit.refusalsInRow < REFUSALS_OF_A_DOER_MAX;
  const refusal = { everSucceeded, reason, now: context.now };
  change(context, peerId, kind, afterRefusal(circuit, refusal));
}

/** The first attempt of each other peer that failed at the task and whose circuit is closed. */
function othersThatFailed(
  { registry, now }: Context,
  { id, kind, retries }: Task,
  peerId: PeerId,
): readonly Attempt[] {
  const found = new Map<PeerId, Attempt>();
  for (const attempt of registry.attempts.of(id)) {
    const failed = attempt.state === "failed" || attempt.state === "timed_out";
    if (!failed || attempt.peerId === peerId || attempt.retries !== retries) continue;
    const rests = [WHOLE_PEER, kind].some(
      (scope) => circuitState(registry.circuits.get(attempt.peerId, scope), now) !== "closed",
    );
    if (!rests && !found.has(attempt.peerId)) found.set(attempt.peerId, attempt);
  }
  return [...found.values()];
}

/**
 * A second peer has failed at the task: the first one's failure speaks against the task rather than against it. No more is taken back than was
 * counted, and than the second failure says.
 */
function exonerate(
  context: Context,
  { kind, attemptTimeoutMs }: Task,
  attempt: Attempt,
  { baseRate, share }: { readonly baseRate: number; readonly share: number },
): void {
  const { registry, now } = context;
  const { peerId } = attempt;
  const { service } = registry.kinds.get(kind);
  const counted = attempt.state === "timed_out" ? timeoutShare(attemptTimeoutMs, service) : 1;
  const takenBack = EXONERATED_WEIGHT * Math.min(counted, share);
  for (const scope of [WHOLE_PEER, kind]) {
    const circuit = registry.circuits.known(peerId, scope);
    if (circuit === null) continue;
    const weight = scope === kind ? takenBack : takenBack / 2;
    change(context, peerId, scope, afterExoneration(circuit, { weight, baseRate, now }));
  }
  takeBackFailure(
    context,
    peerId,
    attempt.state === "timed_out" ? "timeout" : "failure",
    takenBack,
  );
}

/** Stores a circuit. A rest that begins gets its jitter, so that peers that failed together are not probed together. */
function change(context: Context, peerId: PeerId, kind: string, circuit: Circuit): void {
  const { registry, now, random } = context;
  const before = registry.circuits.known(peerId, kind)?.restsUntil ?? null;
  const { restsUntil: until } = circuit;
  const begins = until !== null && until !== before;
  const restsUntil = begins ? Math.round(now + quarterJitter(until - now, random())) : until;
  registry.circuits.put(peerId, kind, { ...circuit, restsUntil }, now);
}
