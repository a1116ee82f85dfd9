import { platformVerify } from "../src/crypto/ed25519.ts";
import { Replica } from "../src/discovery/replica.ts";
import { verifierOf } from "../src/discovery/signed-statements.ts";
import { STORE_READ_TIMEOUT } from "../src/discovery/snapshot-reader.ts";
import { upstashStore } from "../durable/upstash-store.ts";
import { log } from "../durable/worker-log.ts";
import type { ReplicaSettings } from "./replica-settings.ts";

interface ReplicaHost {
  /** Whether records are read as soon as the directory names them: for a process that lasts. */
  readonly readsAhead: boolean;
  readonly onFailure?: (error: unknown) => void;
}

/** A replica of these settings. It has read nothing yet. */
export async function openReplica(
  { redis, verifyingKey, isPublic, keptBytesMax }: ReplicaSettings,
  { readsAhead, onFailure }: ReplicaHost,
): Promise<Replica> {
  return new Replica({
    // Not sent again: within the deadline there is no time for it, and the next read comes after 2 seconds.
    store: upstashStore(redis, { timeout: STORE_READ_TIMEOUT, retries: 0 }),
    verifier: verifierOf(verifyingKey, await platformVerify()),
    now: () => Date.now(),
    isPublic,
    keptBytesMax,
    readsAhead,
    onFailure: (error) => {
      onFailure?.(error);
      log.write("replica.store_unreadable", { error: String(error) });
    },
    onCondition: (condition) => log.write("replica.store_changed", { condition }),
  });
}
