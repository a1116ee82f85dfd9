import type { RandomBytes } from "../src/base/clock.ts";
import type { Result } from "../src/base/result.ts";
import type { CommandName, Input, Output } from "../src/coordinator/commands.ts";
import { readEndSession } from "../src/coordinator/peers.ts";
import { blobKey, storeRecord } from "../src/discovery/publisher.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { OutboxItem } from "../src/registry/outbox.ts";
import type { Registry } from "../src/registry/registry.ts";
import { withDeadline } from "./deadline.ts";
import type { EndFault, SessionRef } from "../src/coordinator/effects.ts";

const AT_ONCE = 16;
/** A store that hangs must not keep what else is owed from being paid. */
const DELIVERY_TIMEOUT = 15_000;

export interface OutboxPorts {
  readonly registry: Registry;
  readonly store: DiscoveryStore;
  readonly randomBytes: RandomBytes;
  readonly now: () => number;
  /** Ends a session; throws when its object does not confirm. */
  readonly endSession: (to: SessionRef, fault: EndFault) => Promise<void>;
  readonly execute: <K extends CommandName>(
    name: K,
    input: Input<K>,
  ) => Result<Output<K>, MusterError>;
}

/** Pays what the outbox owes. One run at a time; a wish that comes meanwhile makes it go round once more. */
export class OutboxRunner {
  readonly #ports: OutboxPorts;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
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
      const items = this.#ports.registry.outbox.due(this.#ports.now(), AT_ONCE);
      await Promise.all(items.map((item) => this.#pay(item)));
      if (items.length === AT_ONCE) this.#again = true;
    }
  }

  async #pay(item: OutboxItem): Promise<void> {
    try {
      await withDeadline(this.#deliver(item), DELIVERY_TIMEOUT);
    } catch (thrown) {
      console.error("outbox item failed; it is tried again", {
        kind: item.kind,
        error: String(thrown),
      });
      this.#ports.execute("outbox_failed", item);
    }
  }

  async #deliver({ kind, subject }: OutboxItem): Promise<void> {
    const { store, execute, endSession } = this.#ports;
    switch (kind) {
      case "publish":
        return this.#publish(subject);
      case "delete_blob":
        await store.delete(blobKey(subject));
        execute("blob_deleted", { blobId: subject });
        return;
      case "end_session": {
        const end = readEndSession(subject);
        await endSession(end.to, end.fault);
        execute("session_ended", end);
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
