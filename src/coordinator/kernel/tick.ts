import { HOUR, MINUTE, type Millis } from "../../base/clock.ts";
import {
  AUDIT_RETENTION,
  CHOICE_RETENTION,
  RESULT_UPLOAD_TIMEOUT,
  TASK_RETENTION,
  ADVERTISED_RETENTION,
  TOMBSTONE_RETENTION,
  WEBHOOK_DELIVERY_RETENTION,
} from "../../protocol/constants.ts";
import type { Peer } from "../../peers/peer.ts";
import type { Task } from "../../tasks/task.ts";
import { nextCallback } from "../webhooks/callback-attempts.ts";
import type { Context } from "./context.ts";
import { nextCopyDue, tickCopies } from "../discovery/copies.ts";
import { startDials } from "../dialing/scheduler.ts";
import { dispatch } from "../tasks/dispatch.ts";
import { done, type Handler } from "./handler.ts";
import { EXPIRED_KEY_RETENTION } from "../access/join-keys.ts";
import { cancelAttempt, endTask, releaseAttempt } from "../tasks/leases.ts";
import { suspectPeer, applyPeerEvent } from "../peers/lifecycle.ts";
import { sweepUploads } from "../tasks/results.ts";
import { nextDiscoveryDue, tickDiscovery } from "../discovery/epoch-rotation.ts";

/**
 * Waiting tasks, and peers that wait to be dialled, are looked at again this often, for what no event announces (a refusal
 * that was long enough ago, a turn that is over).
 */
const SWEEP_INTERVAL: Millis = MINUTE;

/** Does everything whose time has come. Safe to run at any time and any number of times. */
export const tick: Handler<"tick"> = (context) => {
  const { registry, now, effects } = context;
  for (const id of registry.tasks.pastDeadline(now))
    expire(context, registry.tasks.get(id) as Task);
  for (const id of registry.tasks.leasesOver(now)) giveUp(context, registry.tasks.get(id) as Task);
  evict(context);
  registry.correlatedFailures.prune(now - HOUR, now);
  registry.tombstones.prune(now - TOMBSTONE_RETENTION);
  registry.tasks.prune(now - TASK_RETENTION);
  registry.idempotency.prune(now);
  registry.webhookDeliveries.prune(now - WEBHOOK_DELIVERY_RETENTION);
  registry.aliases.prune(now);
  registry.audit.prune(now - AUDIT_RETENTION);
  registry.joinKeys.prune(now - EXPIRED_KEY_RETENTION);
  registry.choices.prune(now - CHOICE_RETENTION);
  for (const kind of registry.kinds.prune(now - TASK_RETENTION))
    registry.serviceTimes.forgetKind(kind);
  registry.advertisedPeers.prune(now - ADVERTISED_RETENTION);
  sweepUploads(context);
  tickDiscovery(context);
  tickCopies(context);
  startDials(context);
  dispatch(context);
  effects.push({ type: "drain_outbox" }, { type: "drain_callbacks" });
  return done;
};

function expire(context: Context, task: Task): void {
  cancelAttempt(context, task, "the deadline passed");
  endTask(
    context,
    { ...task, error: task.error ?? "the deadline passed before the task was done" },
    "expired",
  );
}

function giveUp(context: Context, task: Task): void {
  const accepted = task.state === "running";
  releaseAttempt(context, task, {
    state: accepted ? "lost" : "refused",
    error: accepted
      ? "the lease ran out without a sign of life"
      : "the offer was not accepted in time",
    outcome: "timeout",
    counts: accepted,
    retry: true,
    tellPeer: true,
  });
  const peer = accepted ? null : context.registry.peers.get(task.peerId ?? "");
  if (peer !== null) suspectPeer(context, peer);
}

/** Peers evicted at once: each costs a few rows, and there is always a next tick. */
const EVICTED_AT_ONCE = 200;

/** Nobody is evicted while a mass is silent (LV12): who can't be heard just now is not who left for good. */
function evict(context: Context): void {
  const { registry, config, now } = context;
  if (registry.correlatedFailures.anyMass(now)) return;
  for (const id of registry.peers.awaySince(now - config.retention, EVICTED_AT_ONCE))
    applyPeerEvent(context, registry.peers.get(id) as Peer, "retention_over");
}

/** The due list: when `tick` is needed next, and for what; null when nothing waits for a time. */
export function nextTick(
  { registry, config }: Pick<Context, "registry" | "config">,
  now: Millis,
): Millis | null {
  const { tasks, outbox, peers, correlatedFailures, advertisedPeers, dials } = registry;
  const away = peers.longestAway();
  const delivered = registry.webhookDeliveries.oldest();
  const oldest = advertisedPeers.oldest();
  const upload = registry.resultUploads.oldest();
  const dues: readonly (Millis | null)[] = [
    tasks.nextDue(now),
    outbox.nextDue(),
    nextCallback(registry, now),
    nextDiscoveryDue(registry),
    nextCopyDue({ registry, config }, now),
    delivered === null ? null : delivered + WEBHOOK_DELIVERY_RETENTION,
    upload === null ? null : upload + RESULT_UPLOAD_TIMEOUT,
    dials.nextDue(),
    tasks.anyQueued() || dials.anyQueued() ? now + SWEEP_INTERVAL : null,
    oldest === null ? null : oldest + ADVERTISED_RETENTION,
    away === null
      ? null
      : Math.max(away + config.retention + 1, correlatedFailures.anyMass(now) ? now + MINUTE : 0),
  ];
  const set = dues.filter((due) => due !== null);
  return set.length === 0 ? null : Math.min(...set);
}
