import { fromUtf8, utf8 } from "../../base/bytes.ts";
import { parseJson } from "../../base/json.ts";
import { TaskEvent } from "../../protocol/http.ts";
import { verifyDelivery, type HeaderReader } from "../../webhooks/index.ts";
import { MusterApiError } from "../errors.ts";

/** A request that claims to be a mesh's callback, as it arrived. */
export interface CallbackDelivery {
  /** `Headers`, or whatever gives a header by its name in lower case. */
  readonly headers: HeaderReader | Readonly<Record<string, string | string[] | undefined>>;
  /** The raw body, never JSON that was parsed and written again. */
  readonly body: string | Uint8Array;
}

export interface VerifyOptions {
  /** What signs: given with the task, or the token's own (`controller.callbackSecret()`). Any of several opens. */
  readonly secret: string | readonly string[];
  /** Unix milliseconds; default: this machine's clock. */
  readonly now?: number;
}

/**
 * The event of a callback that the mesh signed within the last 5 minutes; throws `MusterApiError` with a code of
 * `signature_missing`, `signature_invalid`, `signature_stale` or `invalid_request` for any other request. Answer with 2xx
 * once it is safely kept: until then it is sent again, and it may come twice all the same (`event.data.id` tells).
 */
export function verifyCallback(
  { headers, body }: CallbackDelivery,
  { secret, now = Date.now() }: VerifyOptions,
): TaskEvent {
  const bytes = typeof body === "string" ? utf8(body) : body;
  const secrets = typeof secret === "string" ? [secret] : secret;
  const verified = verifyDelivery(
    { scheme: "standard-webhooks" },
    { secrets, headers: readerOf(headers), body: bytes, now },
  );
  if (!verified.ok) throw new MusterApiError(verified.error.code, 401, verified.error.detail);
  const event = TaskEvent.safeParse(parseJson(fromUtf8(bytes) ?? ""));
  if (event.success && event.data.data.id === verified.value.deliveryId) return event.data;
  throw new MusterApiError("invalid_request", 400, "this is signed, but no callback of a task");
}

/** Node gives headers as an object. */
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
