import { err, ok, type Result } from "../src/base/result.ts";
import type { DeliveryInput, ReceivedDelivery } from "../src/contract/webhooks.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { DeliveryView } from "../src/protocol/http.ts";
import type { AppContext } from "./context.ts";
import { traceOf } from "./trace-headers.ts";
import { openSource, type OpenedSource } from "./webhook-source-secrets.ts";

/** A delivery as evaluated with one revision of its source. */
export type EvaluatedDelivery = Omit<DeliveryInput, "source" | "sourceId" | "revision" | "trace">;

/** How often a delivery is evaluated if its source keeps changing. A single change during a request is rare already. */
const EVALUATIONS_MAX = 3;
/** Seconds. */
const RETRY_AFTER = 2;

/** The answer to a delivery that was recorded. */
export interface Submission {
  readonly view: DeliveryView;
  /** Whether it was GitHub's check of a new webhook. */
  readonly isPing: boolean;
}

/**
 * Evaluates a delivery by its source's secrets and rules, and submits its task. If the source changes between the two,
 * the coordinator stores nothing and the delivery is evaluated again (docs/decisions/021). `first` is the source as it was
 * read last. `evaluate` returns a challenge's
 * answer when the delivery is one: there is nothing to submit.
 */
export async function submitDelivery<Challenge extends { readonly challenge: string }>(
  c: AppContext,
  name: string,
  first: OpenedSource,
  evaluate: (source: OpenedSource) => Promise<Result<EvaluatedDelivery | Challenge, MusterError>>,
): Promise<Result<Submission | Challenge, MusterError>> {
  let source = first;
  for (let attempt = 1; ; attempt++) {
    const evaluated = await evaluate(source);
    if (!evaluated.ok) return evaluated;
    if ("challenge" in evaluated.value) return ok(evaluated.value);
    const { id: sourceId, revision } = source;
    const input = { ...evaluated.value, source: name, sourceId, revision, trace: traceOf(c) };
    const received = await c.var.coordinator.call("receive_delivery", input);
    if (!received.ok) return received;
    if (received.value.outcome !== "source_changed") {
      c.set("deliveryRecorded", true);
      return viewOf(received.value);
    }
    if (attempt === EVALUATIONS_MAX) break;
    const current = await openSource(c, name);
    if (!current.ok) return current;
    source = current.value;
  }
  return sourceChanged(name);
}

export const sourceChanged = (name: string): Result<never, MusterError> =>
  err({
    code: "unavailable",
    detail: `the webhook source ${name} changed while this delivery was processed; send it again`,
    retryAfter: RETRY_AFTER,
  });

/** What the sender receives: success for every outcome that needs no repetition, a filtered event included. */
function viewOf({
  outcome,
  taskId,
  detail,
  error,
}: ReceivedDelivery): Result<Submission, MusterError> {
  if (error !== null) return err(error);
  if (outcome === "unmapped") {
    return err({ code: "event_unmapped", detail: detail ?? "the event does not fit the mapping" });
  }
  const filtered = outcome === "filtered" ? detail : null;
  const view = { task_id: taskId, duplicate: outcome === "duplicate", filtered };
  return ok({ view, isPing: outcome === "ping" });
}
