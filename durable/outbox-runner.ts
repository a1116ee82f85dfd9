import type { RandomBytes } from "../src/base/clock.ts";
import type { Result } from "../src/base/result.ts";
import type { CommandName, Input, Output } from "../src/contract/commands.ts";
import { readEndSession, readProbe } from "../src/coordinator/peers/peers.ts";
import { resultKey } from "../src/coordinator/tasks/results.ts";
import { blobKey, storeRecord } from "../src/discovery/publisher.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { COPY_KINDS, OWN_KINDS, type OutboxItem, type OutboxKind } from "../src/registry/outbox.ts";
import type { Registry } from "../src/registry/registry.ts";
import { withDeadline } from "./deadline.ts";
import { replicate } from "./replicate.ts";
import type { EndFault, SessionRef } from "../src/contract/session-orders.ts";

const AT_ONCE = 16;

export interface OutboxPorts {
  readonly registry: Registry;
  readonly store: DiscoveryStore;
  /** What replicas read; null when there are none. */
  readonly replicas: DiscoveryStore | null;
  readonly randomBytes: RandomBytes;
  readonly now: () => number;
  /** Ends a session; throws when its object does not confirm. */
  readonly endSession: (to: SessionRef, fault: EndFault) => Promise<void>;
  /** Has a session ask its peer whether it is there; throws when its object does not answer. */
  readonly probe: (to: SessionRef) => Promise<void>;
  readonly execute: <K extends CommandName>(
    name: K,
    input: Input<K>,
  ) => Result<Output<K>, MusterError>;
}

/** What one runner pays, and how. */
export interface Payment {
  readonly kinds: readonly OutboxKind[];
  /** Milliseconds after which a delivery is given up: a store that hangs must not keep what else is owed from being paid. */
  readonly patience: number;
  /** Whether an item is put off by as much while it is paid, for alarms do not wait for it. */
  readonly claims: boolean;
}

export const OWN_DEBTS: Payment = { kinds: OWN_KINDS, patience: 15_000, claims: false };
/** Hundreds of requests, one batch after another; slow or down, they hold up nothing else. */
export const COPY_DEBTS: Payment = { kinds: COPY_KINDS, patience: 120_000, claims: true };

/** Pays what the outbox owes of some kinds. One run at a time; a wish that comes meanwhile makes it go round once more. */
export class OutboxRunner {
  readonly #ports: OutboxPorts;
  readonly #payment: Payment;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(ports: OutboxPorts, payment: Payment) {
    this.#ports = ports;
    this.#payment = payment;
  }

  /** Settles when nothing is owed any more that is due. Never throws: what can't be paid is postponed. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#rounds().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #rounds(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { registry, now } = this.#ports;
      const items = registry.outbox.due(now(), AT_ONCE, this.#payment.kinds);
      await Promise.all(items.map((item) => this.#pay(item)));
      if (items.length === AT_ONCE) this.#again = true;
    }
  }

  async #pay(item: OutboxItem): Promise<void> {
    const { registry, now } = this.#ports;
    const { patience, claims } = this.#payment;
    if (claims) registry.outbox.defer(item.kind, item.subject, now() + patience);
    try {
      await withDeadline(this.#deliver(item), patience);
    } catch (thrown) {
      console.error("outbox item failed; it is tried again", {
        kind: item.kind,
        error: String(thrown),
      });
      this.#ports.execute("outbox_failed", item);
    }
  }

  async #deliver({ kind, subject, failures }: OutboxItem): Promise<void> {
    const { store, replicas, execute, endSession, probe } = this.#ports;
    switch (kind) {
      case "publish":
        return this.#publish(subject);
      case "delete_blob":
        await store.delete(blobKey(subject));
        execute("blob_deleted", { blobId: subject });
        return;
      case "replicate":
        return replicate(this.#ports, failures);
      case "drop_copy":
        await replicas?.delete(subject);
        execute("copy_dropped", { key: subject });
        return;
      case "delete_result":
        await store.delete(resultKey(subject));
        execute("result_deleted", { blobId: subject });
        return;
      case "end_session": {
        const end = readEndSession(subject);
        await endSession(end.to, end.fault);
        execute("session_ended", end);
        return;
      }
      case "probe": {
        const to = readProbe(subject);
        await probe(to);
        execute("probed", { to });
        return;
      }
      default:
        kind satisfies never;
    }
  }

  async #publish(peerId: string): Promise<void> {
    const { store, randomBytes, execute } = this.#ports;
    const prepared = execute("prepare_publication", { peerId });
    if (!prepared.ok || prepared.value === null) return;
    const { publication, ...of } = prepared.value;
    await storeRecord(publication, store, randomBytes);
    execute("published", { ...of, peerId, blobId: publication.blobId });
  }
}
