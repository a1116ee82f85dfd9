import { redactedError } from "../src/base/redact.ts";
import type { CallbackRequest } from "../src/contract/webhooks.ts";
import { CALLBACK_TIMEOUT } from "../src/protocol/constants.ts";
import type { Answer } from "../src/webhooks/index.ts";
import type { OutboundFetch } from "./outbound-fetch.ts";

/** Attempts in progress. Below the six connections that Cloudflare allows an object: KV needs some, too. */
const CONCURRENT_MAX = 4;
/** Attempts in progress per receiver, so that one slow receiver does not block the others. */
const CONCURRENT_PER_RECEIVER_MAX = 2;
const USER_AGENT = "muster-callback/1";

export interface CallbackPorts {
  readonly fetch: OutboundFetch;
  /** The next attempt that is due, for another receiver than these; null when there is none. */
  readonly claim: (busy: readonly string[]) => CallbackRequest | null;
  readonly answered: (request: CallbackRequest, answer: Answer) => void;
}

/** Makes the callback attempts that are due, a few at a time. */
export class CallbackRunner {
  readonly #ports: CallbackPorts;
  readonly #inProgress = new Map<Promise<void>, string>();

  constructor(ports: CallbackPorts) {
    this.#ports = ports;
  }

  /** Resolves when no attempt is in progress and none is due. */
  async run(): Promise<void> {
    this.#start();
    while (this.#inProgress.size > 0) await Promise.race(this.#inProgress.keys());
  }

  #start(): void {
    while (this.#inProgress.size < CONCURRENT_MAX) {
      const request = this.#ports.claim(this.#busy());
      if (request === null) return;
      const attempt = this.#attempt(request).finally(() => {
        this.#inProgress.delete(attempt);
        this.#start();
      });
      this.#inProgress.set(attempt, request.origin);
    }
  }

  /** The receivers that already have as many attempts in progress as they may have. */
  #busy(): readonly string[] {
    const origins = [...this.#inProgress.values()];
    const isBusy = (origin: string) =>
      origins.filter((other) => other === origin).length >= CONCURRENT_PER_RECEIVER_MAX;
    return [...new Set(origins)].filter(isBusy);
  }

  async #attempt(request: CallbackRequest): Promise<void> {
    const answer = await send(request, this.#ports.fetch);
    try {
      this.#ports.answered(request, answer);
    } catch (thrown) {
      // The attempt counts as interrupted and is repeated.
      console.error("the answer to a callback was not recorded", { error: redactedError(thrown) });
    }
  }
}

/**
 * Sends one attempt. Redirects are not followed: they could lead to an address that the rules for URLs refuse. Only the status
 * and Retry-After of the answer are read: its body may be endless, and the mesh does not need it.
 */
async function send(
  { url, headers, body }: CallbackRequest,
  fetch: OutboundFetch,
): Promise<Answer> {
  try {
    const sent = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": USER_AGENT, ...headers },
      body,
      signal: AbortSignal.timeout(CALLBACK_TIMEOUT),
    });
    if (!sent.ok) return { status: null, error: `not sent: ${sent.error}`, retryAfter: null };
    const response = sent.value;
    const { status } = response;
    await response.body?.cancel().catch(() => {}); // the connection broke
    return {
      status,
      error: response.ok ? null : describeStatus(status),
      retryAfter: readRetryAfter(response),
    };
  } catch (thrown) {
    const isTimeout = thrown instanceof Error && thrown.name === "TimeoutError";
    // The reason of a failed connection would inform the caller that gave the URL about the mesh's network.
    const error = isTimeout
      ? `no answer within ${CALLBACK_TIMEOUT / 1_000} s`
      : "the receiver can't be reached";
    return { status: null, error, retryAfter: null };
  }
}

const describeStatus = (status: number): string =>
  status >= 300 && status < 400 ? "redirects are not followed" : `HTTP ${status}`;

/** `Retry-After` in seconds; its other form, a date, is ignored. */
function readRetryAfter(response: Response): number | null {
  const text = response.headers.get("retry-after");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
