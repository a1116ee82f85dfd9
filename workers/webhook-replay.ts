import { utf8 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { DeliveryView, DryRunView, WebhookSample } from "../src/protocol/http.ts";
import {
  headersOf,
  openDelivery,
  readWhole,
  RecordedEvent,
  verdictOf,
  verifyDelivery,
  wantedPaths,
  type DeliveryContent,
} from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";
import { submitDelivery } from "./submit-delivery.ts";
import { dryRun, type Sample } from "./webhook-dry-run.ts";
import { openSource, type OpenedSource } from "./webhook-source-secrets.ts";

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
  const { content, deliveryId, bytes } = recorded.value;
  const submitted = await submitDelivery<never>(c, name, source.value, (current) => {
    const sample = sampleOf(current, content, id);
    if (!sample.ok) return Promise.resolve(sample);
    const { headers, event } = sample.value;
    const verdict = verdictOf(current, headers, event);
    const replay = { of: id, newTask };
    return Promise.resolve(ok({ deliveryId, earlier: null, bytes, sealed: null, verdict, replay }));
  });
  return submitted.ok ? ok(submitted.value.view) : submitted;
}

/** Shows the outcome that a sample would have at a source. */
export async function dryRunSample(
  c: AppContext,
  name: string,
  { event, body, delivery, headers: given }: WebhookSample,
): Promise<Result<DryRunView, MusterError>> {
  const source = await openSource(c, name);
  if (!source.ok) return source;
  if (delivery !== undefined) {
    const recorded = await recordedDelivery(c, name, delivery);
    if (!recorded.ok) return recorded;
    const sample = sampleOf(source.value, recorded.value.content, delivery);
    return sample.ok ? ok(dryRun(source.value, sample.value)) : sample;
  }
  const bytes = utf8(body ?? JSON.stringify(event));
  const headers = headersOf(given);
  const isSigned = body !== undefined && Object.keys(given).length > 0;
  const signature = isSigned ? signatureOf(source.value, headers, bytes) : null;
  return ok(dryRun(source.value, { headers, event: readWhole(source.value, bytes), signature }));
}

function signatureOf(
  source: OpenedSource,
  headers: Sample["headers"],
  body: Uint8Array,
): DryRunView["signature"] {
  const { secrets } = source;
  const verified = verifyDelivery(source, { secrets, headers, body, now: Date.now() });
  if (verified.ok) return "right";
  const { code } = verified.error;
  return code === "signature_missing" || code === "signature_stale" ? code : "signature_invalid";
}

interface Recorded {
  readonly content: DeliveryContent;
  /** The sender's; a replay has the ID of the delivery that it repeats. */
  readonly deliveryId: string;
  readonly bytes: number;
}

/** A recorded delivery, opened. */
async function recordedDelivery(
  c: AppContext,
  source: string,
  id: string,
): Promise<Result<Recorded, MusterError>> {
  const { coordinator, config } = c.var;
  const delivery = await coordinator.call("open_delivery", { source, id });
  if (!delivery.ok) return delivery;
  const { sealed, deliveryId, bytes } = delivery.value;
  const content = sealed === null ? null : openDelivery(config.signingKey, source, sealed);
  if (content === null) {
    return err({
      code: "conflict",
      detail: `the content of delivery ${id} was not stored, or the signing key has changed; have the sender deliver it again`,
    });
  }
  return ok({ content, deliveryId, bytes });
}

/** The recorded event as the rules of the source read it. Of a large one only what the rules read when it arrived is known. */
function sampleOf(
  source: OpenedSource,
  content: DeliveryContent,
  id: string,
): Result<Sample, MusterError> {
  const headers = headersOf(content.headers);
  if ("body" in content)
    return ok({ headers, event: readWhole(source, utf8(content.body)), signature: null });
  const event = new RecordedEvent(content.values);
  const unknown = event.firstUnknown(wantedPaths(source));
  if (unknown === null) return ok({ headers, event: ok(event), signature: null });
  return err({
    code: "conflict",
    detail: `delivery ${id} was large, so only the values that its source used then are stored, and ${unknown.text} is none of them; have the sender deliver it again`,
  });
}
