import { SECOND, type Millis, type RandomBytes } from "../../base/clock.ts";
import { withDeadline } from "../../base/deadline.ts";
import { storeRecord } from "../../discovery/sealed-records.ts";
import type { DiscoveryStore } from "../../discovery/store.ts";
import type { Output } from "../../contract/commands.ts";
import type { EndFault, SessionRef } from "../../peers/session-orders.ts";
import { CELLS_MAX } from "../../cells/topology.ts";
import {
  CELL_KINDS,
  COPY_KINDS,
  OWN_KINDS,
  type OutboxEntry,
  type OutboxItem,
  type OutboxKind,
} from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";
import { deliveryOf, type ExecuteMeshCommand, type OutboxAction } from "./delivery.ts";
import { checkCopy, replicate } from "./replicate.ts";

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
  /** Entries that are delivered at the same time. */
  readonly concurrent: number;
  /** After this time a delivery counts as failed: a store that hangs must not delay other entries. */
  readonly timeout: Millis;
  /** Whether an entry's due time is moved by `timeout` before it is delivered, for a runner that alarms do not wait for. */
  readonly defersBefore: boolean;
}

export const OWN_DELIVERIES: DeliveryPolicy = {
  kinds: OWN_KINDS,
  concurrent: 16,
  timeout: 15 * SECOND,
  defersBefore: false,
};
/** As many as there can be: a cell that hangs delays no call of another one. */
export const CELL_DELIVERIES: DeliveryPolicy = {
  kinds: CELL_KINDS,
  concurrent: CELL_KINDS.length * CELLS_MAX,
  timeout: 15 * SECOND,
  defersBefore: false,
};
/** One delivery may be hundreds of requests, batch after batch. A replica store that is slow or down delays nothing else. */
export const COPY_DELIVERIES: DeliveryPolicy = {
  kinds: COPY_KINDS,
  concurrent: 16,
  timeout: 120 * SECOND,
  defersBefore: true,
};

/** Delivers the outbox's entries of some kinds, each by itself: one that hangs delays none of the others. */
export class OutboxRunner {
  readonly #ports: OutboxPorts;
  readonly #policy: DeliveryPolicy;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Entries under way that may have been added again: they are looked at again once they are delivered. */
  readonly #addedAgain = new Set<string>();
  /** What callers wait for; null while nobody waits. */
  #idle: Promise<void> | null = null;
  /** Whether more entries are due than are delivered at the same time. */
  #isMoreDue = false;

  constructor(ports: OutboxPorts, policy: DeliveryPolicy) {
    this.#ports = ports;
    this.#policy = policy;
  }

  /**
   * Settles when no entry is due any more. Never throws: a failed entry is retried later. All callers share one wait: under a steady load there are
   * always entries under way, and there may be thousands of callers.
   */
  run(): Promise<void> {
    this.#lookAfterAdding();
    if (this.#underWay.size === 0) return Promise.resolve();
    this.#idle ??= this.#untilIdle();
    return this.#idle;
  }

  /** The same, but it settles earlier if `isEnough` says so: its caller does not wait for deliveries that hang. */
  runUntil(isEnough: () => boolean): Promise<void> {
    this.#lookAfterAdding();
    return this.#until(isEnough);
  }

  async #untilIdle(): Promise<void> {
    do await this.#until(() => false);
    while (this.#underWay.size > 0);
    this.#idle = null;
  }

  async #until(isEnough: () => boolean): Promise<void> {
    while (this.#underWay.size > 0 && !isEnough()) await Promise.race(this.#underWay.values());
  }

  #lookAfterAdding(): void {
    for (const entry of this.#look()) this.#addedAgain.add(entry);
  }

  /** Begins to deliver what is due, as far as there is a place for it. Returns what is due and under way already. */
  #look(): readonly string[] {
    const { registry, now } = this.#ports;
    const { kinds, concurrent } = this.#policy;
    const due = registry.outbox.due(now(), concurrent + 1, kinds);
    const underWay = due
      .map(({ entry }) => nameOf(entry))
      .filter((name) => this.#underWay.has(name));
    const others = due.filter(({ entry }) => !this.#underWay.has(nameOf(entry)));
    const begun = others.slice(0, concurrent - this.#underWay.size);
    this.#isMoreDue = begun.length < others.length;
    for (const item of begun) this.#underWay.set(nameOf(item.entry), this.#deliverLater(item));
    return underWay;
  }

  /** Not at once: what is begun together counts as under way before any of it has effects, which may look again. */
  async #deliverLater(item: OutboxItem): Promise<void> {
    await Promise.resolve();
    await this.#deliver(item);
    const name = nameOf(item.entry);
    this.#underWay.delete(name);
    const isAddedAgain = this.#addedAgain.delete(name);
    if (isAddedAgain || this.#isMoreDue) this.#look();
  }

  async #deliver(item: OutboxItem): Promise<void> {
    const { registry, now, execute, onFailure } = this.#ports;
    const { timeout, defersBefore } = this.#policy;
    const { kind } = item.entry;
    try {
      if (defersBefore) registry.outbox.defer(item.entry, now() + timeout);
      await withDeadline(this.#deliverOnce(item), timeout);
    } catch (thrown) {
      onFailure(kind, thrown);
      try {
        execute("outbox_failed", item);
      } catch (failure) {
        onFailure(kind, failure);
      }
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

/** What tells entries apart. */
const nameOf = (entry: OutboxEntry): string => JSON.stringify(entry);

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
