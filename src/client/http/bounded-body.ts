import { fromUtf8, type Bytes } from "../../base/bytes.ts";
import { isCutJson } from "../../base/json-text/scan-json.ts";
import { ExactMembers, readJson } from "../../base/json-text/read-json.ts";
import { MusterApiError } from "../errors.ts";

/**
 * The body of a response, which may be any server's: it is given up once it has more than `max` bytes. Throws `MusterApiError`, code
 * `invalid_response`.
 */
export async function boundedBody(response: Response, max: number): Promise<Bytes> {
  if (response.body === null) return new Uint8Array();
  // One buffer that grows: a server that sends single bytes must not cause a list of millions.
  let buffer = new Uint8Array(Math.min(max, FIRST_BYTES));
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return buffer.slice(0, length);
    if (length + value.length > max) {
      await reader.cancel().catch(() => {});
      const detail = `the answer has more than ${max} bytes, the limit`;
      throw new MusterApiError("invalid_response", response.status, detail);
    }
    if (length + value.length > buffer.length) {
      const larger = new Uint8Array(Math.min(max, 2 * (length + value.length)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(value, length);
    length += value.length;
  }
}

const FIRST_BYTES = 4_096;

/**
 * The JSON of such a body, in which the members of `exact` are `JsonText`; undefined when it is not JSON. Throws when the connection
 * breaks, also one whose end looks like that of the answer: `MusterApiError`, code `unreachable`.
 */
export async function boundedJson(
  response: Response,
  max: number,
  exact: ExactMembers = NONE,
): Promise<unknown> {
  const bytes = await boundedBody(response, max);
  const text = fromUtf8(bytes);
  const json = text === null ? null : readJson(text, exact, { maxDepth: Number.POSITIVE_INFINITY });
  if (json?.ok === true) return json.value;
  refuseCutJson(response, bytes);
  return undefined;
}

/** Throws if the bytes are the beginning of JSON whose rest is missing: `MusterApiError`, code `unreachable`. */
export function refuseCutJson({ url }: Response, bytes: Bytes): void {
  if (isCut(bytes)) throw new MusterApiError("unreachable", 0, `${url} broke off its answer`);
}

/** The last character may be cut, too. */
function isCut(bytes: Bytes): boolean {
  if (bytes.length === 0) return false;
  try {
    return isCutJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }));
  } catch {
    return false;
  }
}

const NONE = new ExactMembers();
