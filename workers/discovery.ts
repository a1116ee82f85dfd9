import { env, getRuntimeKey } from "hono/adapter";
import type { Context } from "hono";
import type { Replica } from "../src/discovery/replica.ts";
import { openReplica } from "./open-replica.ts";
import { ReplicaMisconfigured } from "./replica-routes.ts";
import { readReplicaSettings, type ReplicaVariables } from "./replica-settings.ts";
import { replicaApp, startReplica } from "./start-replica.ts";

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

/** The part of Deno's API that is used here. */
interface DenoProcess {
  readonly env: { toObject(): ReplicaVariables };
  exit(code: number): never;
}

/** Starts the replica in a Deno process, which ends with the reason if it can't. */
async function startInDeno(process: DenoProcess): Promise<typeof app> {
  const started = await startReplica(process.env.toObject());
  if (!started.ok) {
    for (const fault of started.error.faults) console.error(`replica: ${fault}`);
    return process.exit(started.error.exitCode);
  }
  for (const note of started.value.notes) console.warn(`replica: ${note}`);
  return started.value.app;
}

let app = replicaApp(replicaOf);
const { Deno: deno } = globalThis as { readonly Deno?: DenoProcess };
if (getRuntimeKey() === "deno" && deno !== undefined) app = await startInDeno(deno);

/**
 * A read-only replica of a mesh's discovery, for Deno (`deno serve`) and Workers; `bin/replica.js` is the one for Node. It serves
 * records that the mesh has signed, from a store that the mesh writes.
 */
export default app;
