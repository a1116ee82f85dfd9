import { SECOND, type Millis } from "../src/base/clock.ts";
import { readRetryAfter } from "../src/protocol/retry-after.ts";
import type { Answer } from "../src/webhooks/index.ts";
import type { OutboundFetch } from "./outbound-fetch.ts";

const USER_AGENT = "muster-callback/1";

/** What is sent to a receiver. */
export interface CallbackPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How long the receiver may take to answer. */
  readonly timeoutMs: Millis;
}

/**
 * Sends one attempt. Redirects are not followed: they could lead to an address that the rules for URLs refuse. Only the status
 * and Retry-After of the answer are read: its body may be endless, and the mesh does not need it.
 */
export async function sendCallback(
  { url, headers, body, timeoutMs }: CallbackPost,
  fetch: OutboundFetch,
  now: () => Millis,
): Promise<Answer> {
  try {
    const sent = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": USER_AGENT, ...headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!sent.ok) return { status: null, error: `not sent: ${sent.error}`, retryAfter: null };
    const response = sent.value;
    const { status } = response;
    await response.body?.cancel().catch(() => {}); // the connection broke
    return {
      status,
      error: response.ok ? null : describeStatus(status),
      retryAfter: readRetryAfter(response.headers, now()),
    };
  } catch (thrown) {
    const isTimeout = thrown instanceof Error && thrown.name === "TimeoutError";
    // The reason of a failed connection would inform the caller that gave the URL about the mesh's network.
    const error = isTimeout
      ? `no answer within ${timeoutMs / SECOND} s`
      : "the receiver can't be reached";
    return { status: null, error, retryAfter: null };
  }
}

const describeStatus = (status: number): string =>
  status >= 300 && status < 400 ? "redirects are not followed" : `HTTP ${status}`;
