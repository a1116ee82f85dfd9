import { setTimeout as sleep } from "node:timers/promises";
import { startMesh } from "../../server/mesh-process.ts";
import {
  connectPeer,
  controller,
  newWebhookSecret,
  type MeshClient,
} from "../../src/client/index.ts";
import { largestDatabase } from "./database.ts";
import { fillWithDeliveries, fillWithPeers, fillWithTasks, type Answers } from "./fillers.ts";

const LIMIT_MB = 40;
/** Between two tasks of the honest owner. */
const HONEST_PAUSE_MS = 1_000;
const HONEST_TASKS_AFTER = 10;
const ROOM_TIMEOUT_MS = 60_000;

export interface FloodOptions {
  readonly dir: string;
  readonly seconds: number;
  readonly log: (line: string) => void;
}

/** How long the admin token fills the database: enough for its limit. */
const fillMs = (seconds: number): number => Math.min(60, Math.max(20, seconds / 5)) * 1_000;

/** Fills a mesh with a small database for some time; afterwards the operator and an honest owner go on. */
export async function flood({ dir, seconds, log }: FloodOptions) {
  const variables = { STORAGE_LIMIT_MB: String(LIMIT_MB), HANDSHAKES_PER_MINUTE: "1000000" };
  const mesh = await startMesh({ dir, port: 0, variables: { AUTH_MODE: "open", ...variables } });
  let stopped = false;
  try {
    const { url, meshKey, adminToken } = mesh;
    const operator = controller({ url, token: adminToken });
    const [flooder, honest] = [
      await operator.tokens.create("controller", "flooder"),
      await operator.tokens.create("controller", "honest"),
    ];
    const secret = newWebhookSecret();
    await operator.webhooks.put("noisy", {
      scheme: "standard-webhooks",
      secret,
      task: { kind: "nobody", payload: { data: "$.data" } },
    });
    const worker = connectPeer({ url, meshKey, handlers: { honest: ({ payload }) => payload } });
    await worker.ready;
    const owner = controller({ url, token: honest.token });
    const until = Date.now() + seconds * 1_000;
    const work = honestWork(owner, until);
    const sizes = sampleSizes(url, adminToken, until, log);
    const [tasks, deliveries, strangers] = await Promise.all([
      fillWithTasks({ url, meshKey }, flooder.token, until),
      fillWithDeliveries({ url, meshKey }, { source: "noisy", secret }, until),
      fillWithPeers({ url, meshKey }, until),
    ]);
    const during = await work;
    const usedMax = await sizes;
    // The admin token has no quota: only the limit of the database stops it.
    const unlimited = await fillWithTasks(
      { url, meshKey },
      adminToken,
      Date.now() + fillMs(seconds),
    );
    const usedWhenFull = (await operator.settings.storage()).used_bytes;
    log(`answers: ${JSON.stringify({ tasks, deliveries, strangers, unlimited })}`);
    const operates = await outcomesOf({
      revoke_token: () => operator.tokens.revoke(flooder.id),
      cancel_tasks: () => operator.tasks.cancelMany({ kind: "nobody" }),
      remove_source: () => operator.webhooks.remove("noisy"),
      revoke_peer: async () => {
        const [stranger] = (await operator.peers.list().toArray()).filter(({ name }) =>
          name.startsWith("stranger"),
        );
        if (stranger !== undefined) await operator.peers.revoke(stranger.id);
      },
      create_token: () => operator.tokens.create("viewer", "later"),
    });
    const roomAfterMs = await untilRoom(operator);
    let after = 0;
    for (let n = 0; n < HONEST_TASKS_AFTER; n++) if (await runsTask(owner)) after++;
    await worker.close();
    await mesh.stop();
    stopped = true;
    const { used, file } = largestDatabase(dir);
    const limit = LIMIT_MB * 1_000_000;
    const below = Math.max(used, usedMax ?? 0, usedWhenFull) <= limit;
    return {
      ok:
        below &&
        (unlimited["507 storage_full"] ?? 0) > 0 &&
        Object.values(operates).every((outcome) => outcome === "ok") &&
        after === HONEST_TASKS_AFTER,
      bar: "the database stays below its limit, full or not; revoking and cancelling go on while it is full, and the tasks of another owner after that",
      seconds,
      limit_bytes: limit,
      used_bytes_max: usedMax,
      used_bytes_when_full: usedWhenFull,
      used_bytes_at_end: used,
      file_bytes_at_end: file,
      answers: { tasks, deliveries, strangers, unlimited } satisfies Record<string, Answers>,
      honest_during: during,
      room_again_after_ms: roomAfterMs,
      honest_after: { done: after, of: HONEST_TASKS_AFTER },
      operator_after: operates,
    };
  } finally {
    if (!stopped) await mesh.stop();
  }
}

type Api = ReturnType<typeof controller>;

/** Whether a small task of the honest owner is accepted and done. */
async function runsTask(owner: Api): Promise<boolean> {
  try {
    await owner.tasks.run("honest", { n: 1 }, { signal: AbortSignal.timeout(30_000) });
    return true;
  } catch {
    return false;
  }
}

async function honestWork(owner: Api, until: number) {
  let [done, failed] = [0, 0];
  while (Date.now() < until) {
    if (await runsTask(owner)) done++;
    else failed++;
    await sleep(HONEST_PAUSE_MS);
  }
  return { done, failed };
}

/** The most bytes that the mesh reports; null for one that does not report them. */
async function sampleSizes(url: string, token: string, until: number, log: (line: string) => void) {
  let most: number | null = null;
  for (let n = 0; Date.now() < until; n++) {
    await sleep(500);
    const response = await fetch(new URL("v1/mesh/storage", url), {
      headers: { authorization: `Bearer ${token}` },
    }).catch(() => null);
    if (response?.ok !== true) continue;
    const { used_bytes: used, state } = (await response.json()) as {
      used_bytes: number;
      state: string;
    };
    most = Math.max(most ?? 0, used);
    if (n % 20 === 0) log(`${(used / 1e6).toFixed(1)} MB used, ${state}`);
  }
  return most;
}

/** Waits until ended tasks have given way and the database takes tasks again; the milliseconds that it took. */
async function untilRoom(operator: MeshClient): Promise<number> {
  const began = Date.now();
  const isFull = async () => (await operator.settings.storage()).state === "full";
  while ((await isFull()) && Date.now() < began + ROOM_TIMEOUT_MS) await sleep(100);
  return Date.now() - began;
}

/** What each act came to: `ok`, or its error. */
async function outcomesOf(
  acts: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const [name, act] of Object.entries(acts))
    outcomes[name] = await act().then(
      () => "ok",
      (error: unknown) => String(error),
    );
  return outcomes;
}
