import { concat, type Bytes } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import {
  WEBHOOK_BODY_TIME_MAX,
  WEBHOOK_BUFFERED_BYTES_MAX,
  WEBHOOK_STORED_BODY_BYTES_MAX,
} from "../src/protocol/constants.ts";
import type { ErrorCode, MusterError } from "../src/protocol/errors.ts";
import type { ChallengeView } from "../src/protocol/http.ts";
import {
  bodyBytesMaxOf,
  challengeOf,
  claimOf,
  DeliveryReader,
  judgeDelivery,
  macKeysOf,
  sealDelivery,
  storedBody,
  storedValues,
  wantedPaths,
  type StoredEvent,
  type VerifiedDelivery,
} from "../src/webhooks/index.ts";
import { failure } from "./address-budgets.ts";
import type { AppContext } from "./context.ts";
import { bodyTooLarge, DeliveryBody } from "./delivery-body.ts";
import { nativeHash } from "./native-hash.ts";
import { sourceChanged, submitDelivery, type Submission } from "./submit-delivery.ts";
import { findSource, type OpenedSource } from "./webhook-source-secrets.ts";

export type DeliveryAnswer = (Submission & Pick<OpenedSource, "scheme">) | ChallengeView;

/**
 * Verifies the signature over the raw bytes, maps the event to a task, and submits it under the ID that the signature covers.
 * The body is read only once its source is known and its headers claim a signature. What does not verify consumes the budget
 * of its address; what does verify never does.
 */
export async function receiveDelivery(
  c: AppContext,
  name: string,
): Promise<Result<DeliveryAnswer, MusterError>> {
  const source = await claimedSource(c, name);
  if (!source.ok) return err(counted(c, source.error));
  const body = new DeliveryBody(c.req.raw, WEBHOOK_BODY_TIME_MAX);
  try {
    const received = await receiveBody(c, source.value, body);
    return received.ok ? received : err(counted(c, received.error));
  } finally {
    body.stop();
  }
}

/** The error of a delivery that does not verify counts; one of the mesh does not. */
const counted = (c: AppContext, error: MusterError): MusterError =>
  NOT_VERIFIED.has(error.code) ? failure(c, "deliveries", error) : error;

const NOT_VERIFIED: ReadonlySet<ErrorCode> = new Set([
  "not_found",
  "signature_missing",
  "signature_invalid",
  "signature_stale",
  "payload_too_large",
  "request_timeout",
]);

/**
 * The source, if the headers may be of a delivery to it. One that the source as last read refuses is compared with the source as it
 * is now.
 */
async function claimedSource(
  c: AppContext,
  name: string,
): Promise<Result<OpenedSource, MusterError>> {
  const known = await findSource(c, name, false);
  if (!known.ok || checkHead(c, known.value).ok) return known;
  const current = await findSource(c, name, true);
  if (!current.ok) return current;
  const checked = checkHead(c, current.value);
  return checked.ok ? current : checked;
}

/** What can be refused before the body is read: headers that claim no signature, and a body that is larger than the source takes. */
function checkHead(c: AppContext, source: OpenedSource): Result<void, MusterError> {
  const claim = claimOf(source, c.req.raw.headers);
  if (!claim.ok) return claim;
  const max = bodyBytesMaxOf(source);
  return statedBytes(c) > max ? err(bodyTooLarge(max)) : ok(undefined);
}

const statedBytes = (c: AppContext): number => Number(c.req.header("Content-Length") ?? 0);

/** Reads a small body as a whole, so that it can be read again if its source changes. Of a larger one it keeps only what is selected. */
async function receiveBody(
  c: AppContext,
  source: OpenedSource,
  body: DeliveryBody,
): Promise<Result<DeliveryAnswer, MusterError>> {
  const parts: Uint8Array[] = [];
  if (statedBytes(c) <= WEBHOOK_BUFFERED_BYTES_MAX) {
    while (body.bytes <= WEBHOOK_BUFFERED_BYTES_MAX) {
      const part = await body.next(bodyBytesMaxOf(source));
      if (!part.ok) return part;
      if (part.value === null) return receiveSmall(c, source, concat(...parts));
      parts.push(part.value);
    }
  }
  const turn = await c.var.memory.largeDeliveries.begin(source.name, c.var.address);
  if (!turn.ok) return turn;
  try {
    return await receiveLarge(c, source.name, body, parts);
  } finally {
    turn.value();
  }
}

/** What a source reads of the body, if one of its secrets signed it. */
type ReadBy = (source: OpenedSource) => Promise<Result<VerifiedDelivery, MusterError>>;

/**
 * A delivery that the source as last read refuses is verified by the source as it is now; so is a challenge, whose answer the
 * coordinator does not check again.
 */
async function receiveSmall(
  c: AppContext,
  known: OpenedSource,
  body: Bytes,
): Promise<Result<DeliveryAnswer, MusterError>> {
  const readBy: ReadBy = async (source) => {
    const reader = readerOf(c, source);
    if (!reader.ok) return reader;
    await reader.value.write(body);
    return reader.value.finish(Date.now());
  };
  let read = once(readBy);
  let source = known;
  const verified = await read(source);
  if (!verified.ok || challengeIn(source, verified.value) !== null) {
    const current = await findSource(c, source.name, true);
    if (!current.ok) return current;
    source = current.value;
    read = once(readBy);
  }
  const stored = body.length > WEBHOOK_STORED_BODY_BYTES_MAX ? null : storedBody(body);
  return submit(c, source, { read, bytes: body.length, stored });
}

/** Reads by the same revision of a source once. */
function once(readBy: ReadBy): ReadBy {
  let last: { source: OpenedSource; read: ReturnType<ReadBy> } | null = null;
  return (source) => {
    if (last === null || !isSame(last.source, source)) last = { source, read: readBy(source) };
    return last.read;
  };
}

const isSame = (one: OpenedSource, other: OpenedSource): boolean =>
  one.id === other.id && one.revision === other.revision;

/**
 * A large body passes once, so the source is read before it, and a change of the source meanwhile means that the sender must
 * send it again. `parts` is what was read of it.
 */
async function receiveLarge(
  c: AppContext,
  name: string,
  body: DeliveryBody,
  parts: readonly Uint8Array[],
): Promise<Result<DeliveryAnswer, MusterError>> {
  const source = await findSource(c, name, true);
  if (!source.ok) return source;
  const head = checkHead(c, source.value);
  if (!head.ok) return head;
  const reader = readerOf(c, source.value);
  if (!reader.ok) return reader;
  for (const part of parts) await reader.value.write(part);
  for (;;) {
    const part = await body.next(bodyBytesMaxOf(source.value));
    if (!part.ok) return part;
    if (part.value === null) break;
    await reader.value.write(part.value);
  }
  const verified = await reader.value.finish(Date.now());
  const read: ReadBy = (current) =>
    Promise.resolve(isSame(current, source.value) ? verified : sourceChanged(name));
  return submit(c, source.value, { read, bytes: body.bytes, stored: null });
}

function readerOf(c: AppContext, source: OpenedSource): Result<DeliveryReader, MusterError> {
  const claim = claimOf(source, c.req.raw.headers);
  if (!claim.ok) return claim;
  const keys = macKeysOf(source, source.secrets);
  if (!keys.ok) return keys;
  return ok(new DeliveryReader(source, claim.value, keys.value, nativeHash));
}

const challengeIn = ({ scheme }: OpenedSource, { event }: VerifiedDelivery): string | null =>
  scheme === "slack" && event.ok ? challengeOf(event.value) : null;

interface ReceivedBody {
  readonly read: ReadBy;
  readonly bytes: number;
  /** The body as it is stored for replays; null to store what the source reads of it. */
  readonly stored: StoredEvent | null;
}

async function submit(
  c: AppContext,
  source: OpenedSource,
  { read, bytes, stored }: ReceivedBody,
): Promise<Result<DeliveryAnswer, MusterError>> {
  const { headers } = c.req.raw;
  const { signingKey } = c.var.config;
  const sealing = { signingKey, name: source.name, random: platformRandom };
  const submitted = await submitDelivery<ChallengeView>(c, source.name, source, async (current) => {
    const verified = await read(current);
    if (!verified.ok) return verified;
    const challenge = challengeIn(current, verified.value);
    if (challenge !== null) return ok({ challenge });
    const { event, signed } = verified.value;
    const { verdict, ids } = judgeDelivery(current, headers, event, signed, Date.now());
    const kept = stored ?? (event.ok ? storedValues(wantedPaths(current), event.value) : null);
    const sealed = kept === null ? null : sealDelivery(sealing, headers, kept);
    return ok({ ...ids, bytes, sealed, verdict, replay: null });
  });
  if (!submitted.ok) return submitted;
  const answer = submitted.value;
  return ok("challenge" in answer ? answer : { ...answer, scheme: source.scheme });
}
