import { Hono } from "hono";
import { SECOND, type Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { Replica } from "../src/discovery/replica.ts";
import { StoreRefused } from "../durable/upstash-store.ts";
import { openReplica } from "./open-replica.ts";
import { replicaRoutes } from "./replica-routes.ts";
import { readReplicaSettings, type ReplicaVariables } from "./replica-settings.ts";

/** How often a process reads the store without a request: what it has kept is then never much older. */
const REFRESH_INTERVAL: Millis = 15 * SECOND;

/** Exit codes of a replica: its settings are wrong, or something else is. */
export const EXIT_SETTINGS = 2;
export const EXIT_FAILED = 1;

interface StartedReplica {
  readonly app: Hono;
  /** What the operator should know, although the replica runs. */
  readonly notes: readonly string[];
}

interface StartFault {
  readonly exitCode: number;
  readonly faults: readonly string[];
}

/**
 * Starts a replica in a process: checks its settings, reads the store once, and then regularly. A store that does not answer is no
 * reason to end, because it may come back; a store that refuses the token is one.
 */
export async function startReplica(
  variables: ReplicaVariables,
): Promise<Result<StartedReplica, StartFault>> {
  const settings = readReplicaSettings(variables);
  if (!settings.ok) return err({ exitCode: EXIT_SETTINGS, faults: settings.error });
  let failure: unknown = null;
  const replica = await openReplica(settings.value, {
    readsAhead: true,
    onFailure: (error) => (failure = error),
  });
  await replica.refresh();
  if (failure instanceof StoreRefused)
    return err({
      exitCode: EXIT_SETTINGS,
      faults: ["UPSTASH_REDIS_REST_TOKEN: the store refuses this token"],
    });
  const { condition } = replica.status;
  if (condition === "refused") return err({ exitCode: EXIT_SETTINGS, faults: [WRONG_KEY] });
  setInterval(() => void replica.refresh(), REFRESH_INTERVAL);
  const note = condition === "current" ? null : NOTES[condition];
  return ok({ app: replicaApp(async () => replica), notes: note === null ? [] : [note] });
}

/** The HTTP API of a replica. */
export function replicaApp(open: Parameters<typeof replicaRoutes>[1]): Hono {
  const app = new Hono();
  replicaRoutes(app, open);
  return app;
}

const WRONG_KEY =
  "MESH_VERIFYING_KEY: the store holds no complete directory that is signed with this key; compare it with signing_key of the mesh's /v1/mesh";

const UNREACHABLE =
  "UPSTASH_REDIS_REST_URL: the store does not answer; the replica runs and tries again";
const NOTES: Readonly<
  Record<Exclude<Replica["status"]["condition"], "current" | "refused">, string>
> = {
  unread: UNREACHABLE,
  unreachable: UNREACHABLE,
  empty: "the store holds no directory yet; the mesh writes it within a minute",
};
