import { z } from "@hono/zod-openapi";
import type { Bytes } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { WEBHOOK_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { ErrorCode, MusterError } from "../../src/protocol/errors.ts";
import { ChallengeView, DeliveryView, PingView } from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import {
  challengeOf,
  readEvent,
  sealDelivery,
  verdictOf,
  verifyDelivery,
} from "../../src/webhooks/index.ts";
import type { AppContext } from "../context.ts";
import { failure } from "../address-budgets.ts";
import { readBody } from "../read-body.ts";
import { countRefusal } from "../refused-deliveries.ts";
import { submitDelivery, type EvaluatedDelivery, type Submission } from "../submit-delivery.ts";
import { findSource, type OpenedSource } from "../webhook-source-secrets.ts";
import { respond } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { defineRaw } = routesTagged("webhooks", { name: Slug });

const deliver = defineRaw("signature", "post", "/v1/webhooks/{name}", {
  summary: "Deliver an event; its signature authorizes it",
  acceptsAnyQuery: true,
  // Raw: the signature covers the body's bytes, which a JSON validator would not keep.
  request: {
    body: { required: true, content: { "application/json": { schema: z.unknown() } } },
  },
  responses: {
    200: jsonOf(
      z.union([ChallengeView, PingView]),
      "The answer to Slack's or GitHub's check of the address. Without a body: the answer to any other delivery of Slack, which would show it to the user",
    ),
    202: jsonOf(
      DeliveryView,
      "The task that the event became, now or at its first delivery; or the filter that excluded it",
    ),
  },
  failures: [
    "not_found",
    "too_large",
    "queue_full",
    "storage_full",
    "bad_signature",
    "event_unmapped",
  ],
});

export function webhookIngressRoutes(router: Router): void {
  router.rawRoute(deliver, async (c) => {
    const name = c.req.param("name") ?? "";
    const delivered = await receiveDelivery(c, name);
    if (!delivered.ok) countRefusal(c, name, delivered.error);
    return respond(c, delivered, (answer) => {
      if ("challenge" in answer) return c.json(answer, 200);
      if (answer.isPing) return c.json<PingView>({ ping: true }, 200);
      // Slack shows the body of an answer to whoever used the command.
      if (answer.scheme === "slack") return c.body(null, 200);
      return c.json<DeliveryView>(answer.view, 202);
    });
  });
}

/**
 * Verifies the signature over the raw bytes, maps the event to a task, and submits it under the ID that the signature covers.
 * The body is read only once its source is known and it has a signature. What does not verify consumes the budget of its
 * address; what does verify never does.
 */
async function receiveDelivery(
  c: AppContext,
  name: string,
): Promise<Result<(Submission & Pick<OpenedSource, "scheme">) | ChallengeView, MusterError>> {
  const claimed = await signedBody(c, name);
  if (!claimed.ok) return claimed;
  const { body, source } = claimed.value;
  const submitted = await submitDelivery<ChallengeView>(c, name, source, (current) =>
    evaluateDelivery(c, current, body),
  );
  if (!submitted.ok) return submitted;
  const answer = submitted.value;
  return ok("challenge" in answer ? answer : { ...answer, scheme: source.scheme });
}

interface SignedBody {
  readonly body: Bytes;
  /** The source whose signature the body has. */
  readonly source: OpenedSource;
}

/**
 * The body, if one of the source's secrets signed it. A delivery that the source as last read refuses is compared with the
 * source as it is now; so is a challenge, whose answer the coordinator does not check again.
 */
async function signedBody(c: AppContext, name: string): Promise<Result<SignedBody, MusterError>> {
  let source = await findSource(c, name, false);
  if (source.ok && unsignedError(c, source.value) !== null)
    source = await findSource(c, name, true);
  if (!source.ok) return err(counted(c, source.error));
  const unsigned = unsignedError(c, source.value);
  if (unsigned !== null) return err(counted(c, unsigned));
  const body = await readBody(c.req.raw, WEBHOOK_BODY_BYTES_MAX);
  if (body === null) return err(TOO_LARGE);
  if (!verified(c, source.value, body).ok || challengeIn(source.value, body) !== null) {
    source = await findSource(c, name, true);
    if (!source.ok) return err(counted(c, source.error));
  }
  const checked = verified(c, source.value, body);
  return checked.ok ? ok({ body, source: source.value }) : err(counted(c, checked.error));
}

const NO_BODY = new Uint8Array();

const verified = (c: AppContext, source: OpenedSource, body: Uint8Array) =>
  verifyDelivery(source, { ...source, headers: c.req.raw.headers, body, now: Date.now() });

/** The error if the headers have no signature, whatever the body is; else null. */
function unsignedError(c: AppContext, source: OpenedSource): MusterError | null {
  const checked = verified(c, source, NO_BODY);
  return !checked.ok && checked.error.code === "signature_missing" ? checked.error : null;
}

function challengeIn(source: OpenedSource, body: Bytes): string | null {
  if (source.scheme !== "slack") return null;
  const event = readEvent(source.scheme, body);
  return event.ok ? challengeOf(event.value) : null;
}

/** The error of a delivery that does not verify counts; one of the mesh does not. */
const counted = (c: AppContext, error: MusterError): MusterError =>
  NOT_VERIFIED.has(error.code) ? failure(c, "deliveries", error) : error;

const NOT_VERIFIED: ReadonlySet<ErrorCode> = new Set([
  "not_found",
  "signature_missing",
  "signature_invalid",
  "signature_stale",
]);

const TOO_LARGE: MusterError = {
  code: "payload_too_large",
  detail: `the body is larger than ${WEBHOOK_BODY_BYTES_MAX} bytes, the limit of this path`,
};

/** What a delivery becomes by its source's rules, if that source's secrets signed it. */
function evaluateDelivery(
  c: AppContext,
  source: OpenedSource,
  body: Bytes,
): Result<EvaluatedDelivery | ChallengeView, MusterError> {
  const { headers } = c.req.raw;
  const checked = verified(c, source, body);
  if (!checked.ok) return err(counted(c, checked.error));
  const challenge = challengeIn(source, body);
  if (challenge !== null) return ok({ challenge });
  const { name } = source;
  const sealing = { signingKey: c.var.config.signingKey, name, random: platformRandom };
  return ok({
    deliveryId: checked.value.deliveryId,
    bytes: body.length,
    sealed: sealDelivery(sealing, headers, body),
    verdict: verdictOf(source, headers, body),
    replay: null,
  });
}
