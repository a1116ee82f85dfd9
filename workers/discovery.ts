import { getRuntimeKey } from "hono/adapter";
import type { ReplicaVariables } from "./replica-settings.ts";
import { startReplica } from "./start-replica.ts";
import { workerReplica } from "./worker-replica.ts";

/** The part of Deno's API that is used here. */
interface DenoProcess {
  readonly env: { toObject(): ReplicaVariables };
  exit(code: number): never;
}

/** Starts the replica in a Deno process, which ends with the reason if it can't. */
async function startInDeno(process: DenoProcess): Promise<typeof workerReplica> {
  const started = await startReplica(process.env.toObject());
  if (!started.ok) {
    for (const fault of started.error.faults) console.error(`replica: ${fault}`);
    return process.exit(started.error.exitCode);
  }
  for (const note of started.value.notes) console.warn(`replica: ${note}`);
  return started.value.app;
}

let app = workerReplica;
const { Deno: deno } = globalThis as { readonly Deno?: DenoProcess };
if (getRuntimeKey() === "deno" && deno !== undefined) app = await startInDeno(deno);

/**
 * A read-only replica of a mesh's discovery, for Deno (`deno serve`) and Workers; `bin/replica.js` is the one for Node. It serves
 * records that the mesh has signed, from a store that the mesh writes.
 */
export default app;
