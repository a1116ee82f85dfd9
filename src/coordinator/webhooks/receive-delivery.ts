import { ok } from "../../base/result.ts";
import { placeOfDelivery } from "../../cells/placement.ts";
import { homeOf } from "../../cells/topology.ts";
import type { Input } from "../../contract/commands.ts";
import {
  WEBHOOK_DELIVERIES_PER_SOURCE_MAX,
  WEBHOOK_DELIVERY_RETENTION,
} from "../../protocol/constants.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import type { DeliveryInput, ReceivedDelivery } from "../../contract/webhooks.ts";
import { learn } from "../cells/topology.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { hasRoomForStrangers } from "../storage/room.ts";
import { keepContentsOf } from "./delivery-contents.ts";
import { acceptSubmission } from "../tasks/submit.ts";

/**
 * Submits a delivery's task and records the outcome, in one transaction. If the task is refused because the queue is full, the
 * refusal is recorded and the sender repeats the delivery later: the command succeeds, and its output contains the error.
 */
export const receiveDelivery: Handler<"receive_delivery"> = (context, delivery) => {
  const { source, sourceId, revision, deliveryId, bytes, sealed, replay } = delivery;
  const { registry, now, randomBytes } = context;
  const current = registry.webhookSources.get(source);
  if (current === null) return notFound("webhook source with this name");
  // The gateway evaluated the delivery with rules or secrets that are no longer in force.
  if (current.id !== sourceId || current.revision !== revision)
    return ok({ outcome: "source_changed" });
  // A replay of what an earlier source of this name received is not this source's: its log ended with it.
  const since = now - WEBHOOK_DELIVERY_RETENTION;
  if (replay !== null && registry.webhookDeliveries.get(source, replay.of, since) === null)
    return notFound("delivery with this ID");
  const received = submit(context, delivery);
  const { outcome, taskId, detail } = received;
  registry.metrics.count("muster_webhook_deliveries", [outcome]);
  registry.webhookDeliveries.add(
    {
      id: newOpaqueId(randomBytes),
      source,
      receivedAt: now,
      deliveryId,
      outcome,
      taskId,
      detail,
      bytes,
      replayOf: replay?.of ?? null,
      sealed: hasRoomForStrangers(context) ? sealed : null,
    },
    WEBHOOK_DELIVERIES_PER_SOURCE_MAX,
  );
  keepContentsOf(context, source);
  return ok(received);
};

function submit(context: Context, delivery: DeliveryInput): ReceivedDelivery {
  const { verdict, source, sourceId, deliveryId, earlier, replay } = delivery;
  if (verdict.outcome === "ping")
    return { outcome: "ping", taskId: null, detail: null, error: null };
  if (verdict.outcome !== "task")
    return { outcome: verdict.outcome, taskId: null, detail: verdict.reason, error: null };
  // A sender cannot choose the key of an operator's replay: no delivery ID begins with this word and a full stop.
  const newTask = replay?.newTask ?? null;
  const key = newTask === null ? deliveryId : `replay.${replay?.of}.${newTask}`;
  const scope = scopeOf(source, sourceId);
  const before = earlier === null ? null : taskSince(context, scope, earlier);
  if (before !== null) return { outcome: "duplicate", taskId: before, detail: null, error: null };
  const submitted = acceptSubmission(context, {
    task: verdict.task,
    owner: "admin",
    source: `webhook:${source}`,
    idempotency: { scope, key },
    trace: delivery.trace,
  });
  if (!submitted.ok) {
    const { error } = submitted;
    return { outcome: "refused", taskId: null, detail: `${error.code}: ${error.detail}`, error };
  }
  const { id, duplicate } = submitted.value;
  const outcome = duplicate ? "duplicate" : "task";
  return { outcome, taskId: id, detail: null, error: null };
}

/** The task under an earlier ID, if it was created since then. */
function taskSince(
  { registry, now }: Context,
  scope: string,
  { deliveryId, since }: NonNullable<DeliveryInput["earlier"]>,
): string | null {
  const before = registry.idempotency.get(scope, deliveryId, now);
  const task = before === null ? null : registry.tasks.get(before.taskId);
  return task !== null && task.createdAt >= since ? task.id : null;
}

export const knowsDelivery: Handler<"knows_delivery"> = (context, { topology, ...asked }) => {
  learn(context, topology);
  return ok({ known: isKnown(context, asked) });
};

const isKnown = (
  { registry, now }: Pick<Context, "registry" | "now">,
  { source, sourceId, deliveryIds }: Omit<Input<"knows_delivery">, "topology">,
): boolean => {
  const scope = scopeOf(source, sourceId);
  return deliveryIds.some((id) => registry.idempotency.get(scope, id, now) !== null);
};

/** Whether a delivery belongs to another cell, and this one has made nothing of it. A replay runs where its delivery is. */
export function isElsewhere(
  context: Pick<Context, "registry" | "now">,
  { source, sourceId, deliveryId, earlier, replay }: DeliveryInput,
): boolean {
  const { own, topology } = context.registry.cells;
  if (replay !== null || homeOf(topology, placeOfDelivery(source, deliveryId)) === own)
    return false;
  const deliveryIds = earlier === null ? [deliveryId] : [deliveryId, earlier.deliveryId];
  return !isKnown(context, { source, sourceId, deliveryIds });
}

/** The scope of a source's idempotency keys. Neither a name nor an ID contains a full stop. */
const scopeOf = (name: string, id: string): string =>
  id === "" ? `webhook:${name}` : `webhook:${name}.${id}`;
