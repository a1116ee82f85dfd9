import type { DryRunView } from "../src/protocol/http.ts";
import {
  explainEvent,
  readEvent,
  verdictOf,
  verifyDelivery,
  type HeaderReader,
} from "../src/webhooks/index.ts";
import type { OpenedSource } from "./webhook-source-secrets.ts";

export interface Sample {
  readonly headers: HeaderReader;
  readonly body: Uint8Array;
  /** Whether the sample has a signature, which is then verified too. The result does not change the outcome. */
  readonly signed: boolean;
}

/** The outcome that a sample would have. */
export function dryRun(source: OpenedSource, sample: Sample, now: number): DryRunView {
  const signature = sample.signed ? signatureOf(source, sample, now) : null;
  const event = readEvent(source.scheme, sample.body);
  const none = { reason: null, task: null, event: null, filters: [], signature };
  if (verdictOf(source, sample.headers, sample.body).outcome === "ping")
    return { ...none, outcome: "ping", event: event.ok ? event.value : null };
  if (!event.ok) return { ...none, outcome: "unmapped", reason: event.error };
  const { verdict, filters, task } = explainEvent(source, sample.headers, event.value);
  return {
    outcome: verdict.outcome,
    reason: "reason" in verdict ? verdict.reason : null,
    task,
    event: event.value,
    filters: [...filters],
    signature,
  };
}

function signatureOf(
  source: OpenedSource,
  { headers, body }: Sample,
  now: number,
): DryRunView["signature"] {
  const { secrets } = source;
  const verified = verifyDelivery(source, { secrets, headers, body, now });
  if (verified.ok) return "right";
  const { code } = verified.error;
  return code === "signature_missing" || code === "signature_stale" ? code : "signature_invalid";
}
