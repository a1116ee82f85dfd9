import { fromUtf8, utf8 } from "../../base/bytes.ts";
import { JSON_DEPTH_MAX, type Json } from "../../base/json.ts";
import { textOfJson } from "../../base/json-text/json-text.ts";
import { ExactMembers, readJson } from "../../base/json-text/read-json.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { TaskEvent } from "../../protocol/http.ts";
import { TaskEvent as TaskEventShape } from "../../protocol/shapes/callbacks.ts";
import type { HeaderReader } from "../../webhooks/scheme.ts";
import { checkSecret, verifyDelivery } from "../../webhooks/verify.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

const SIGNING = { scheme: "standard-webhooks" } as const;

/** A received request that claims to be a mesh's callback. */
export interface CallbackDelivery {
  /** `Headers`, or an object that has header names in lower case, such as Node's `request.headers`. */
  readonly headers: HeaderReader | Readonly<Record<string, string | string[] | undefined>>;
  /** The raw body as received. JSON that was parsed and serialized again does not verify. */
  readonly body: string | Uint8Array;
}

export interface VerifyOptions {
  /**
   * The secret given with the task, or that of the token and this receiver (`mesh.callbacks.secret(url)`). Of several, one must match:
   * while a secret or a token is being replaced, give the old and the new one.
   */
  readonly secret: string | readonly string[];
  /** The time to verify the timestamp against, in Unix milliseconds; default: this machine's clock. */
  readonly now?: number;
}

const VERIFY_OPTIONS: OptionNames<VerifyOptions> = { secret: "stringOrStrings!", now: "number" };

/**
 * Verifies a callback and returns its event. Throws `MusterApiError` with the code `signature_missing`, `signature_invalid`,
 * `signature_stale` (signed more than 5 minutes ago) or `invalid_request`, and an `OptionsError` for a secret that can verify
 * nothing. Answer with 2xx once the event is stored: until then the mesh sends it again. Duplicates are possible: compare
 * `event.data.id` and `event.data.retries`.
 */
export function verifyCallback(
  { headers, body }: CallbackDelivery,
  options: VerifyOptions,
): CallbackEvent {
  const example = "verifyCallback({ headers, body }, { secret })";
  refuseUnknownOptions("verifyCallback", options, VERIFY_OPTIONS, example);
  const { secret, now = Date.now() } = options;
  const bytes = typeof body === "string" ? utf8(body) : body;
  const secrets = typeof secret === "string" ? [secret] : secret;
  checkSecrets(secrets);
  const verified = verifyDelivery(SIGNING, {
    secrets,
    headers: readerOf(headers),
    body: bytes,
    now,
  });
  if (!verified.ok) throw new MusterApiError(verified.error.code, 401, verified.error.detail);
  const json = readJson(fromUtf8(bytes) ?? "", EXACT_MEMBERS, { maxDepth: JSON_DEPTH_MAX });
  const event = readShape(TaskEventShape, json.ok ? json.value : undefined);
  if (event.ok && deliveryIdOf(event.value) === verified.value.deliveryId)
    return parsed(event.value);
  throw new MusterApiError(
    "invalid_request",
    400,
    "the signature is valid, but the body is not a callback of a task",
  );
}

/** The event of a callback. `result_text` is the result exactly as the peer wrote it: parsing rounds long numbers. */
export interface CallbackEvent extends Omit<TaskEvent, "data"> {
  readonly data: Omit<TaskEvent["data"], "result"> & {
    readonly result: Json;
    readonly result_text: string;
  };
}

/** The member whose text is kept. */
const EXACT_MEMBERS = new ExactMembers(["data", "result"]);

function parsed({ data, ...event }: TaskEvent): CallbackEvent {
  const text = textOfJson(data.result);
  return { ...event, data: { ...data, result: JSON.parse(text) as Json, result_text: text } };
}

/** A secret that can verify nothing is an error of the receiver, and not of the sender. */
function checkSecrets(secrets: readonly (string | undefined)[]): void {
  if (secrets.length === 0) throw new OptionsError("secret: the list is empty; give one secret");
  for (const secret of secrets) {
    const usable = checkSecret(SIGNING, secret ?? "");
    if (!usable.ok) throw new OptionsError(`secret: ${usable.error.detail}`);
  }
}

/** Each end of a task is an event of its own: that after the second retry has the ID of the task and `-retry-2`. */
const deliveryIdOf = ({ data: { id, retries = 0 } }: TaskEvent): string =>
  retries === 0 ? id : `${id}-retry-${retries}`;

/** Node has headers as an object. */
function readerOf(headers: CallbackDelivery["headers"]): HeaderReader {
  if (isReader(headers)) return headers;
  return {
    get(name) {
      const value = headers[name];
      return typeof value === "string" ? value : (value?.join(", ") ?? null);
    },
  };
}

const isReader = (headers: CallbackDelivery["headers"]): headers is HeaderReader =>
  typeof headers["get"] === "function";
