import type { RandomBytes } from "../src/base/clock.ts";
import type { CommandName, Input } from "../src/coordinator/commands.ts";
import { readEndSession } from "../src/coordinator/peers.ts";
import { peerView } from "../src/coordinator/views.ts";
import type { BlobStore } from "../src/discovery/blob-store.ts";
import { publishRecord } from "../src/discovery/publisher.ts";
import { isConnected } from "../src/peers/lifecycle.ts";
import type { OutboxItem } from "../src/registry/outbox.ts";
import type { Registry } from "../src/registry/registry.ts";
import { withDeadline } from "./deadline.ts";
import type { EndFault, SessionRef } from "../src/coordinator/effects.ts";

const AT_ONCE = 16;
/** A store that hangs must not keep what else is owed from being paid. */
const DELIVERY_TIMEOUT = 15_000;

export interface OutboxPorts {
  readonly registry: Registry;
  readonly blobs: BlobStore;
  readonly discoveryPublicKey: Uint8Array;
  readonly randomBytes: RandomBytes;
  readonly now: () => number;
  /** Ends a session; throws when its object does not confirm. */
  readonly endSession: (to: SessionRef, fault: EndFault) => Promise<void>;
  readonly execute: <K extends CommandName>(name: K, input: Input<K>) => unknown;
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
    const { blobs, execute, endSession } = this.#ports;
    switch (kind) {
      case "publish":
        return this.#publish(subject);
      case "delete_blob":
        await blobs.delete(subject);
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
    const { registry, blobs, discoveryPublicKey, randomBytes, execute } = this.#ports;
    const peer = registry.peers.get(peerId);
    if (peer === null || !isConnected(peer.state)) {
      registry.outbox.remove("publish", peerId);
      return;
    }
    const pointer = await publishRecord(peerView(peer), discoveryPublicKey, blobs, randomBytes);
    execute("published", { peerId, epoch: peer.epoch, pointer });
  }
}
