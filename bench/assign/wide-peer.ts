import type { PlainMesh } from "../plain/mesh.ts";
import { BATCH, runInBatches } from "./batches.ts";
import { connectPeers } from "./peers.ts";
import { rounded } from "./quantiles.ts";
import { TaskApi } from "./task-api.ts";

/** The most slots that a peer may announce. */
const SLOTS = 256;
const TIMEOUT_SECONDS = 120;

export interface WidePeerFigures {
  readonly slots: number;
  readonly tasks: number;
  /** Null if the tasks did not end in time. */
  readonly per_second: number | null;
  readonly refused_attempts: number;
  /** Attempts beyond the first. */
  readonly repeated_attempts: number;
  readonly runs_in_peer: number;
  readonly problem?: string;
}

/** Empty tasks, submitted in batches, on one peer with the most slots. */
export async function runOnWidePeer(mesh: PlainMesh, count: number): Promise<WidePeerFigures> {
  const peers = await connectPeers(mesh, { count: 1, slots: SLOTS });
  const api = new TaskApi(mesh);
  const ids: string[] = [];
  try {
    const outcome = await runInBatches({
      api,
      peers,
      count,
      timeoutSeconds: TIMEOUT_SECONDS,
      onSubmitted: (batch) => ids.push(...batch),
    }).then(
      ({ calls, seconds }) => ({ per_second: rounded(calls / seconds) }),
      (error: unknown) => ({ per_second: null, problem: String(error) }),
    );
    const attempts = await attemptsOf(api, ids);
    return {
      slots: SLOTS,
      tasks: count,
      ...outcome,
      ...attempts,
      runs_in_peer: peers.runs[0] ?? 0,
    };
  } finally {
    api.close();
    await peers.close();
  }
}

/** Counts the attempts of tasks in the mesh's view of them. */
async function attemptsOf(api: TaskApi, ids: readonly string[]) {
  let refused_attempts = 0;
  let repeated_attempts = 0;
  for (let from = 0; from < ids.length; from += BATCH) {
    const tasks = await Promise.all(ids.slice(from, from + BATCH).map((id) => api.get(id)));
    for (const { attempts } of tasks) {
      refused_attempts += attempts.filter(({ state }) => state === "refused").length;
      repeated_attempts += Math.max(0, attempts.length - 1);
    }
  }
  return { refused_attempts, repeated_attempts };
}
