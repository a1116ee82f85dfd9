import { faultOf } from "../src/base/log/log-events.ts";
import type { AlertRequest } from "../src/contract/alerts.ts";
import type { Input } from "../src/contract/commands.ts";
import type { Executed } from "../src/coordinator/kernel/execute.ts";
import type { Registry } from "../src/registry/registry.ts";
import type { Answer } from "../src/webhooks/index.ts";
import type { SessionPort } from "./session-port.ts";
import { log } from "./worker-log.ts";

export interface AlertPorts {
  /** The next delivery that is due, to none of these receivers; null when there is none. */
  readonly claim: (inProgress: readonly string[]) => AlertRequest | null;
  readonly send: (request: AlertRequest) => Promise<Answer>;
  readonly answered: (request: AlertRequest, answer: Answer) => void;
}

/** Tells alert webhooks what is due: one request to each at a time, so that none waits for another. */
export class AlertSender {
  readonly #ports: AlertPorts;
  readonly #inProgress = new Map<string, Promise<void>>();

  constructor(ports: AlertPorts) {
    this.#ports = ports;
  }

  /** Resolves when no request is in progress and none is due. */
  async run(): Promise<void> {
    this.#start();
    while (this.#inProgress.size > 0) await Promise.race(this.#inProgress.values());
  }

  #start(): void {
    for (;;) {
      const request = this.#ports.claim([...this.#inProgress.keys()]);
      if (request === null) return;
      const { receiver } = request;
      const attempt = this.#attempt(request).finally(() => {
        this.#inProgress.delete(receiver);
        this.#start();
      });
      this.#inProgress.set(receiver, attempt);
    }
  }

  async #attempt(request: AlertRequest): Promise<void> {
    try {
      this.#ports.answered(request, await this.#ports.send(request));
    } catch (thrown) {
      // The attempt counts as cut off and is repeated.
      log.write("alert.answer_lost", { host: new URL(request.url).host, ...faultOf(thrown) });
    }
  }
}

type AlertCommand = "claim_alert" | "alert_answered";

/** Sends what a coordinator has to tell, which runs the commands. */
export const alertSender = (
  sessions: SessionPort,
  registry: Registry,
  run: <K extends AlertCommand>(name: K, input: Input<K>) => Executed<K>["result"],
): AlertSender =>
  new AlertSender({
    claim(inProgress) {
      // A command is a transaction. Without deliveries there is none.
      const now = Date.now();
      if ((registry.alertDeliveries.nextDue(now) ?? Infinity) > now) return null;
      const claimed = run("claim_alert", { inProgress });
      return claimed.ok ? claimed.value.request : null;
    },
    send: ({ url, headers, body, timeoutMs }) =>
      sessions.sendCallback("alerts", { url, headers, body, timeoutMs }),
    answered: ({ id, receiver }, answer) => void run("alert_answered", { id, receiver, answer }),
  });
