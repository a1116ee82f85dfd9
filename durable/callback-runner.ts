import type { CallbackRequest } from "../src/contract/webhooks.ts";
import { CALLBACK_TIMEOUT } from "../src/protocol/constants.ts";
import type { Answer } from "../src/webhooks/index.ts";

/** Below the six connections that Cloudflare lets one object have open: KV needs some, too. */
const AT_ONCE = 4;
/** So that one slow receiver leaves room for the others. */
const AT_ONCE_PER_RECEIVER = 2;
const USER_AGENT = "muster-callback/1";

export interface CallbackPorts {
  /** The next attempt to make, leaving these receivers out; null when none is due. */
  readonly claim: (busy: readonly string[]) => CallbackRequest | null;
  readonly answered: (request: CallbackRequest, answer: Answer) => void;
}

/** Makes the attempts at callbacks that are due, a few at once. */
export class CallbackRunner {
  readonly #ports: CallbackPorts;
  readonly #underWay = new Map<Promise<void>, string>();

  constructor(ports: CallbackPorts) {
    this.#ports = ports;
  }

  /** Settles when nothing is under way any more, and nothing is due. */
  async run(): Promise<void> {
    this.#start();
    while (this.#underWay.size > 0) await Promise.race(this.#underWay.keys());
  }

  #start(): void {
    while (this.#underWay.size < AT_ONCE) {
      const request = this.#ports.claim(this.#busy());
      if (request === null) return;
      const attempt = this.#make(request).finally(() => {
        this.#underWay.delete(attempt);
        this.#start();
      });
      this.#underWay.set(attempt, request.origin);
    }
  }

  #busy(): readonly string[] {
    const origins = [...this.#underWay.values()];
    const many = (origin: string) =>
      origins.filter((other) => other === origin).length >= AT_ONCE_PER_RECEIVER;
    return [...new Set(origins)].filter(many);
  }

  async #make(request: CallbackRequest): Promise<void> {
    const answer = await send(request);
    try {
      this.#ports.answered(request, answer);
    } catch (thrown) {
      // It counts as cut off, and is made again.
      console.error("an answered callback was not kept", { error: String(thrown) });
    }
  }
}

/**
 * Sends one attempt. Redirects are not followed: they could lead where the rules for URLs do not. Of the answer nothing
 * but its status and Retry-After is read: a body may be endless, and is nobody's business.
 */
async function send({ url, headers, body }: CallbackRequest): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": USER_AGENT, ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(CALLBACK_TIMEOUT),
    });
    const { status } = response;
    await response.body?.cancel().catch(() => {}); // it broke off by itself
    return { status, error: response.ok ? null : faultOf(status), retryAfter: secondsOf(response) };
  } catch (thrown) {
    const late = thrown instanceof Error && thrown.name === "TimeoutError";
    // Why a connection failed would tell who gave the URL about the network.
    const error = late ? `no answer within ${CALLBACK_TIMEOUT / 1_000} s` : "can't be reached";
    return { status: null, error, retryAfter: null };
  }
}

const faultOf = (status: number): string =>
  status >= 300 && status < 400 ? "a redirect, which is not followed" : `HTTP ${status}`;

/** `Retry-After` in seconds; its other form, a date, is left alone. */
function secondsOf(response: Response): number | null {
  const text = response.headers.get("retry-after");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
