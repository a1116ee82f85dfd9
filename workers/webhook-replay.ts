import { utf8 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { DeliveryView, DryRunView, WebhookSample } from "../src/protocol/http.ts";
import { headersOf, judge, openDelivery, readEvent } from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";
import { outcomeView } from "./webhook-outcome.ts";
import { dryRun, type Sample } from "./webhook-dry-run.ts";
import { openSource } from "./webhook-source-secrets.ts";

interface Replay {
  readonly name: string;
  readonly id: string;
  /** Names the wish for another task than the one that the delivery became; null to have that one answer. */
  readonly newTask: string | null;
}

/** Takes a delivery once more, as its source judges by now. Its signature was right when it came. */
export async function replayDelivery(
  c: AppContext,
  { name, id, newTask }: Replay,
): Promise<Result<DeliveryView, MusterError>> {
  const source = await openSource(c, name);
  if (!source.ok) return source;
  const kept = await keptDelivery(c, name, id);
  if (!kept.ok) return kept;
  const { sample, deliveryId } = kept.value;
  const event = readEvent(source.value.scheme, sample.body);
  const taken = await c.var.coordinator.call("take_delivery", {
    source: name,
    deliveryId,
    bytes: sample.body.length,
    sealed: null,
    verdict: event.ok
      ? judge(source.value, sample.headers, event.value)
      : { outcome: "unmapped", reason: event.error },
    replay: { of: id, newTask },
  });
  return taken.ok ? outcomeView(taken.value) : taken;
}

/** Shows what a sample would become at a source. */
export async function tryWebhook(
  c: AppContext,
  name: string,
  { event, body, delivery, headers }: WebhookSample,
): Promise<Result<DryRunView, MusterError>> {
  const source = await openSource(c, name);
  if (!source.ok) return source;
  if (delivery !== undefined) {
    const kept = await keptDelivery(c, name, delivery);
    return kept.ok ? ok(dryRun(source.value, kept.value.sample, Date.now())) : kept;
  }
  const sample: Sample = {
    headers: headersOf(headers),
    body: utf8(body ?? JSON.stringify(event)),
    signed: body !== undefined && Object.keys(headers).length > 0,
  };
  return ok(dryRun(source.value, sample, Date.now()));
}

/** A delivery as it was kept; a replay's content is that of the delivery that it repeated. */
async function keptDelivery(
  c: AppContext,
  source: string,
  id: string,
): Promise<Result<{ sample: Sample; deliveryId: string }, MusterError>> {
  const { coordinator, config } = c.var;
  const delivery = await coordinator.call("open_delivery", { source, id });
  if (!delivery.ok) return delivery;
  const { sealed, deliveryId } = delivery.value;
  const content = sealed === null ? null : openDelivery(config.signingKey, source, sealed);
  if (content === null)
    return err({
      code: "conflict",
      detail: "of this delivery nothing was kept that could be read",
    });
  const { headers, body } = content;
  const sample = { headers: headersOf(headers), body: utf8(body), signed: false };
  return ok({ sample, deliveryId });
}
