import { SECOND, type Millis, type RandomBytes } from "../../base/clock.ts";
import { withDeadline } from "../../base/deadline.ts";
import { storeRecord } from "../../discovery/sealed-records.ts";
import type { DiscoveryStore } from "../../discovery/store.ts";
import type { Output } from "../../contract/commands.ts";
import type { EndFault, SessionRef } from "../../peers/session-orders.ts";
import { COPY_KINDS, OWN_KINDS, type OutboxItem, type OutboxKind } from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";
import { deliveryOf, type ExecuteMeshCommand, type OutboxAction } from "./delivery.ts";
import { checkCopy, replicate } from "./replicate.ts";

/** Entries that are delivered at the same time. */
const CONCURRENT_DELIVERIES = 16;

export interface OutboxPorts {
  readonly registry: Pick<Registry, "outbox">;
  readonly store: DiscoveryStore;
  /** The store that replicas read; null when there are none. */
  readonly replicas: DiscoveryStore | null;
  readonly randomBytes: RandomBytes;
  readonly now: () => Millis;
  /** Ends a session; throws when its object does not confirm. */
  readonly endSession: (to: SessionRef, fault: EndFault) => Promise<void>;
  /** Has a session ping its peer; throws when its object does not answer. */
  readonly probe: (to: SessionRef) => Promise<void>;
  /** Has a cell take messages; the number of the last one that it has. Throws when it does not answer. */
  readonly sendToCell: (cell: number, sent: Output<"next_messages">) => Promise<number>;
  /** Fetches a page of the peers of a cell that belong here. Throws when the cell does not answer. */
  readonly pullPeers: (cell: number) => Promise<void>;
  readonly execute: ExecuteMeshCommand;
  readonly onFailure: (kind: OutboxKind, error: unknown) => void;
}

/** The entries that a runner delivers, and how. */
export interface DeliveryPolicy {
  readonly kinds: readonly OutboxKind[];
  /** After this time a delivery counts as failed: a store that hangs must not delay other entries. */
  readonly timeout: Millis;
  /** Whether an entry's due time is moved by `timeout` before it is delivered, for a runner that alarms do not wait for. */
  readonly defersBefore: boolean;
}

export const OWN_DELIVERIES: DeliveryPolicy = {
  kinds: OWN_KINDS,
  timeout: 15 * SECOND,
  defersBefore: false,
};
/** One delivery may be hundreds of requests, batch after batch. A replica store that is slow or down delays nothing else. */
export const COPY_DELIVERIES: DeliveryPolicy = {
  kinds: COPY_KINDS,
  timeout: 120 * SECOND,
  defersBefore: true,
};

/** Delivers the outbox's entries of some kinds. One run at a time; `run` during a run makes it look again at its end. */
export class OutboxRunner {
  readonly #ports: OutboxPorts;
  readonly #policy: DeliveryPolicy;
  #running: Promise<void> | null = null;
  #lookAgain = false;

  constructor(ports: OutboxPorts, policy: DeliveryPolicy) {
    this.#ports = ports;
    this.#policy = policy;
  }

  /** Settles when no entry is due any more. Never throws: a failed entry is retried later. */
  run(): Promise<void> {
    this.#lookAgain = true;
    this.#running ??= this.#deliverAllDue().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #deliverAllDue(): Promise<void> {
    while (this.#lookAgain) {
      this.#lookAgain = false;
      const { registry, now } = this.#ports;
      const items = registry.outbox.due(now(), CONCURRENT_DELIVERIES, this.#policy.kinds);
      await Promise.all(items.map((item) => this.#deliver(item)));
      if (items.length === CONCURRENT_DELIVERIES) this.#lookAgain = true;
    }
  }

  async #deliver(item: OutboxItem): Promise<void> {
    const { registry, now, execute, onFailure } = this.#ports;
    const { timeout, defersBefore } = this.#policy;
    if (defersBefore) registry.outbox.defer(item.entry, now() + timeout);
    try {
      await withDeadline(this.#deliverOnce(item), timeout);
    } catch (thrown) {
      onFailure(item.entry.kind, thrown);
      execute("outbox_failed", item);
    }
  }

  async #deliverOnce(item: OutboxItem): Promise<void> {
    const delivery = deliveryOf(item, this.#ports.execute);
    if (delivery === null) return;
    await this.#perform(delivery.action);
    delivery.confirm();
  }

  async #perform(action: OutboxAction): Promise<void> {
    const { store, replicas, randomBytes, endSession, probe } = this.#ports;
    switch (action.type) {
      case "store_record":
        return storeRecord(action.publication, store, randomBytes);
      case "delete":
        return (action.store === "own" ? store : replicas)?.delete(action.key);
      case "end_session":
        return endSession(action.to, action.fault);
      case "probe":
        return probe(action.to);
      case "send_to_cell":
        return sendToCell(this.#ports, action.cell, action.limit);
      case "pull_peers":
        return this.#ports.pullPeers(action.cell);
      case "replicate":
        return replicate(this.#ports, action.failures);
      case "check_copy":
        return checkCopy(this.#ports);
      default:
        action satisfies never;
    }
  }
}

/** Sends a cell what waits for it, up to the limit of one call. */
async function sendToCell(
  { execute, sendToCell: send }: Pick<OutboxPorts, "execute" | "sendToCell">,
  cell: number,
  limit: number | undefined,
): Promise<void> {
  const next = execute("next_messages", { to: cell, ...(limit !== undefined && { limit }) });
  if (!next.ok) return;
  const { messages } = next.value;
  const upTo = messages.length === 0 ? 0 : await send(cell, next.value);
  execute("messages_taken", { to: cell, upTo });
}
