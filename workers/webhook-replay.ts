import { utf8 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { DeliveryView, DryRunView, WebhookSample } from "../src/protocol/http.ts";
import { headersOf, openDelivery, verdictOf } from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";
import { submitDelivery } from "./submit-delivery.ts";
import { dryRun, type Sample } from "./webhook-dry-run.ts";
import { openSource } from "./webhook-source-secrets.ts";

interface Replay {
  readonly name: string;
  readonly id: string;
  /** The key under which the replay makes another task; null to find the task that the delivery already became. */
  readonly newTask: string | null;
}

/** Processes a recorded delivery again, by its source's current rules. Its signature was verified when it arrived. */
export async function replayDelivery(
  c: AppContext,
  { name, id, newTask }: Replay,
): Promise<Result<DeliveryView, MusterError>> {
  const source = await openSource(c, name);
  if (!source.ok) return source;
  const recorded = await recordedDelivery(c, name, id);
  if (!recorded.ok) return recorded;
  const { sample, deliveryId } = recorded.value;
  const submitted = await submitDelivery<never>(c, name, source.value, (current) =>
    ok({
      deliveryId,
      bytes: sample.body.length,
      sealed: null,
      verdict: verdictOf(current, sample.headers, sample.body),
      replay: { of: id, newTask },
    }),
  );
  return submitted.ok ? ok(submitted.value.view) : submitted;
}

/** Shows the outcome that a sample would have at a source. */
export async function dryRunSample(
  c: AppContext,
  name: string,
  { event, body, delivery, headers }: WebhookSample,
): Promise<Result<DryRunView, MusterError>> {
  const source = await openSource(c, name);
  if (!source.ok) return source;
  if (delivery !== undefined) {
    const recorded = await recordedDelivery(c, name, delivery);
    return recorded.ok ? ok(dryRun(source.value, recorded.value.sample, Date.now())) : recorded;
  }
  const sample: Sample = {
    headers: headersOf(headers),
    body: utf8(body ?? JSON.stringify(event)),
    signed: body !== undefined && Object.keys(headers).length > 0,
  };
  return ok(dryRun(source.value, sample, Date.now()));
}

/** A recorded delivery, opened. Its ID is the sender's; a replay has the ID of the delivery that it repeats. */
async function recordedDelivery(
  c: AppContext,
  source: string,
  id: string,
): Promise<Result<{ sample: Sample; deliveryId: string }, MusterError>> {
  const { coordinator, config } = c.var;
  const delivery = await coordinator.call("open_delivery", { source, id });
  if (!delivery.ok) return delivery;
  const { sealed, deliveryId } = delivery.value;
  const content = sealed === null ? null : openDelivery(config.signingKey, source, sealed);
  if (content === null) {
    return err({
      code: "conflict",
      detail: `the content of delivery ${id} was not stored, or the signing key has changed; have the sender deliver it again`,
    });
  }
  const { headers, body } = content;
  const sample = { headers: headersOf(headers), body: utf8(body), signed: false };
  return ok({ sample, deliveryId });
}
