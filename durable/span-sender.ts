import { SECOND, type Millis } from "../src/base/clock.ts";
import { parseJson } from "../src/base/json.ts";
import type { ExportAnswer } from "../src/contract/tracing.ts";
import { readRetryAfter } from "../src/protocol/retry-after.ts";
import { z } from "zod";

/** The collector that the operator has configured. */
export interface Collector {
  /** With the path `/v1/traces`. */
  readonly url: string;
  /** What authorizes the mesh there. */
  readonly headers: Readonly<Record<string, string>>;
}

const TIMEOUT: Millis = 10 * SECOND;
/** Of an answer nothing more is read: a partial success has a number and a message. */
const ANSWER_BYTES_MAX = 16 * 1_024;

const PartialSuccess = z.object({
  partialSuccess: z.object({ rejectedSpans: z.coerce.number().min(0) }),
});

/**
 * Sends one request of OTLP/HTTP. Redirects are not followed: the headers are for this collector. Never throws: without an answer the
 * status is null.
 */
export async function sendSpans(
  { url, headers }: Collector,
  body: string,
  now: () => Millis,
): Promise<ExportAnswer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const retryAfter = readRetryAfter(response.headers, now());
    const text = response.ok ? await readStart(response) : "";
    await response.body?.cancel().catch(() => {}); // the connection broke
    const partial = PartialSuccess.safeParse(parseJson(text));
    const rejected = partial.success ? partial.data.partialSuccess.rejectedSpans : 0;
    return { status: response.status, retryAfter, rejected };
  } catch {
    return { status: null, retryAfter: null, rejected: 0 };
  }
}

/** The text of an answer; empty if it is longer than what is read. */
async function readStart({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > ANSWER_BYTES_MAX) return "";
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
}
