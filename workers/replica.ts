/**
 * A read-only replica of a mesh's discovery: the exports of `muster-mesh/replica`. `serveReplica` runs one on Node; `startReplica`
 * returns one for any server that calls `fetch`, as Deno's and Bun's; the default export is one as a Worker.
 */
import { serve } from "@hono/node-server";
import { startReplica as start } from "./start-replica.ts";
import { workerReplica } from "./worker-replica.ts";

/** The settings of a replica by their names, as environment variables are: docs/discovery.md lists them. */
export type ReplicaVariables = Readonly<Record<string, string | undefined>>;

/** Answers requests. `env` is what the server knows of the connection, from which the address of the caller is read. */
type Fetch = (request: Request, env?: unknown) => Response | Promise<Response>;

export interface StartedReplica {
  readonly fetch: Fetch;
  /** What the operator should know, although the replica runs. */
  readonly notes: readonly string[];
}

/** The settings are wrong, or the store refuses them. */
export class ReplicaError extends Error {
  override readonly name = "ReplicaError";
  /** What is wrong. It names settings, never their values. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("; "));
    this.faults = faults;
  }
}

/** Starts a replica with these settings, for example those of the environment. Throws a `ReplicaError` if it can't. */
export async function startReplica(variables: ReplicaVariables): Promise<StartedReplica> {
  const started = await start(definedOnly(variables));
  if (!started.ok) throw new ReplicaError(started.error.faults);
  const { app, notes } = started.value;
  return { fetch: async (request, env) => app.fetch(request, env), notes };
}

const definedOnly = (variables: ReplicaVariables): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );

export interface ServeReplicaOptions {
  readonly variables: ReplicaVariables;
  /** Default: 8080; 0 selects a free port. */
  readonly port?: number;
  /** The address to listen on. Default: 127.0.0.1, this machine only. */
  readonly hostname?: string;
}

export interface ServedReplica {
  readonly url: string;
  readonly notes: readonly string[];
  /** Stops listening. Connections that are open end by themselves. */
  stop(): void;
}

/** Runs a replica on Node. Rejects with a `ReplicaError` if it can't start, or with the error of the address. */
export async function serveReplica({
  variables,
  port = 8_080,
  hostname = "127.0.0.1",
}: ServeReplicaOptions): Promise<ServedReplica> {
  const { fetch, notes } = await startReplica(variables);
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname }, (info) =>
      resolve({ url: `http://${hostname}:${info.port}`, notes, stop: () => void server.close() }),
    );
    server.on("error", reject);
  });
}

const worker: { readonly fetch: Fetch } = {
  fetch: (request, env) => workerReplica.fetch(request, env),
};

/** The replica as a Worker, which gets its settings with the first request. */
export default worker;
