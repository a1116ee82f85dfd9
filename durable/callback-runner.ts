import { faultOf } from "../src/base/log/log-events.ts";
import type { Input } from "../src/contract/commands.ts";
import type { CallbackRequest } from "../src/contract/webhooks.ts";
import type { Executed } from "../src/coordinator/kernel/execute.ts";
import {
  CALLBACK_PLACES,
  type Answer,
  type CallbackPlace,
  type LastOwners,
} from "../src/webhooks/index.ts";
import type { SessionPort } from "./session-port.ts";
import { log } from "./worker-log.ts";

/**
 * Attempts at once in one sender. Cloudflare lets an object wait for the headers of six answers at once, so the attempts are made
 * by several objects, and not by the coordinator: its own requests (KV, replicas) never wait behind a receiver.
 */
const PER_SENDER_MAX = 4;
const SENDERS = CALLBACK_PLACES / PER_SENDER_MAX;

export interface CallbackPorts {
  /** Makes an attempt from one of the objects that send; `sender` counts from 0. */
  readonly send: (sender: number, request: CallbackRequest) => Promise<Answer>;
  /** The next attempt that is due and has a place beside these; null when there is none. */
  readonly claim: (
    inProgress: readonly CallbackPlace[],
    afterOwners: LastOwners,
  ) => CallbackRequest | null;
  readonly answered: (request: CallbackRequest, answer: Answer) => void;
}

interface InProgress {
  readonly sender: number;
  readonly place: CallbackPlace;
}

type CallbackCommand = "claim_callback" | "callback_answered";

/** Makes the attempts of a coordinator, which runs the commands. */
export const callbackRunner = (
  sessions: SessionPort,
  run: <K extends CallbackCommand>(name: K, input: Input<K>) => Executed<K>["result"],
): CallbackRunner =>
  new CallbackRunner({
    send: (sender, { url, headers, body, timeoutMs }) =>
      sessions.sendCallback(sender, { url, headers, body, timeoutMs }),
    claim(inProgress, afterOwners) {
      const claimed = run("claim_callback", { inProgress, afterOwners });
      return claimed.ok ? claimed.value.request : null;
    },
    answered: ({ taskId, retries, attempt }, answer) =>
      void run("callback_answered", { taskId, retries, attempt, answer }),
  });

/** Makes the callback attempts that are due, as many at once as have places. */
export class CallbackRunner {
  readonly #ports: CallbackPorts;
  readonly #inProgress = new Map<Promise<void>, InProgress>();
  #lastOwners: LastOwners = {};

  constructor(ports: CallbackPorts) {
    this.#ports = ports;
  }

  /** Resolves when no attempt is in progress and none is due. */
  async run(): Promise<void> {
    this.#start();
    while (this.#inProgress.size > 0) await Promise.race(this.#inProgress.keys());
  }

  #start(): void {
    while (this.#inProgress.size < CALLBACK_PLACES) {
      const places = [...this.#inProgress.values()].map(({ place }) => place);
      const request = this.#ports.claim(places, this.#lastOwners);
      if (request === null) return;
      const { owner, origin, site, health } = request;
      this.#lastOwners = { ...this.#lastOwners, [health]: owner };
      const sender = this.#freeSender();
      const attempt = this.#attempt(sender, request).finally(() => {
        this.#inProgress.delete(attempt);
        this.#start();
      });
      this.#inProgress.set(attempt, { sender, place: { owner, origin, site, health } });
    }
  }

  /** The first sender that can make another attempt. */
  #freeSender(): number {
    const counts = Array.from({ length: SENDERS }, () => 0);
    for (const { sender } of this.#inProgress.values()) counts[sender] = (counts[sender] ?? 0) + 1;
    return counts.findIndex((count) => count < PER_SENDER_MAX);
  }

  async #attempt(sender: number, request: CallbackRequest): Promise<void> {
    try {
      this.#ports.answered(request, await this.#ports.send(sender, request));
    } catch (thrown) {
      // The attempt counts as interrupted and is repeated.
      const { host } = new URL(request.origin);
      log.write("callback.answer_lost", { task: request.taskId, host, ...faultOf(thrown) });
    }
  }
}
