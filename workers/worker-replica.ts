import { env } from "hono/adapter";
import type { Context } from "hono";
import type { Replica } from "../src/discovery/replica.ts";
import { openReplica } from "./open-replica.ts";
import { ReplicaMisconfigured } from "./replica-routes.ts";
import { readReplicaSettings, type ReplicaVariables } from "./replica-settings.ts";
import { replicaApp } from "./start-replica.ts";

let replica: Promise<Replica> | null = null;

/** One per isolate. It is created at the first request, because a Worker gets its environment only then. */
function replicaOf(c: Context): Promise<Replica> {
  replica ??= openInWorker(env<ReplicaVariables>(c)).catch((error: unknown) => {
    replica = null;
    throw error;
  });
  return replica;
}

/** An isolate may end at any time, and many may run: each reads only the records that it is asked for. */
async function openInWorker(variables: ReplicaVariables): Promise<Replica> {
  const settings = readReplicaSettings(variables);
  if (!settings.ok) throw new ReplicaMisconfigured(settings.error.join("; "));
  return openReplica(settings.value, { readsAhead: false });
}

/** The replica as a Worker. */
export const workerReplica = replicaApp(replicaOf);
