import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller, type MeshClient } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { cpuMs } from "./cpu.ts";
import { startPlainMesh, type PlainMesh } from "./plain/mesh.ts";

const FOLLOWERS = 100;
const ROUNDS = 5;
const SUBMISSIONS_OF_ROUND = 60;
/** For this long nothing happens but heartbeats: two for each stream. */
const IDLE_MS = 30_000;
/** Nobody handles this kind: the mesh is busy with the submissions and the followers alone. */
const KIND = "events";

type Mode = "none" | "polling" | "streams" | "everything";
const MODES: readonly Mode[] = ["none", "polling", "streams", "everything"];

export const events: Bench = {
  summary: `${FOLLOWERS} followers of tasks, each of its own controller: milliseconds of a submission with streams of events against polling, and CPU of idle streams`,
  async run(log) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startPlainMesh({ dir });
    try {
      const client = clientOf(mesh);
      const tasks = await Promise.all(
        Array.from({ length: FOLLOWERS }, async () => (await client.tasks.submit(KIND)).id),
      );
      const samples: Record<Mode, number[]> = {
        none: [],
        polling: [],
        streams: [],
        everything: [],
      };
      // The modes take turns, so that what else the machine does meets all of them.
      for (let round = 0; round < ROUNDS; round++)
        for (const mode of MODES) {
          const stop = await follow(mode, mesh, tasks);
          samples[mode].push(...(await submissions(client)));
          await stop();
        }
      const p50 = Object.fromEntries(MODES.map((mode) => [mode, median(samples[mode])])) as Record<
        Mode,
        number
      >;
      for (const mode of MODES) log(`${mode}: a submission takes ${p50[mode]} ms (median)`);
      const idle = await idleCpu(mesh, tasks);
      log(`an idle stream takes ${idle} ms of CPU for each heartbeat`);
      return {
        ok: p50.streams <= p50.polling,
        bar: `with ${FOLLOWERS} followers by streams a submission takes no longer than with ${FOLLOWERS} that poll once a second (medians of one run)`,
        followers: FOLLOWERS,
        submit_p50_ms: p50,
        idle_cpu_ms_per_heartbeat: idle,
      };
    } finally {
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

const clientOf = (mesh: PlainMesh, fetch?: typeof globalThis.fetch): MeshClient =>
  controller({ url: mesh.url, token: mesh.adminToken, ...(fetch !== undefined && { fetch }) });

/** A mesh without streams: the SDK polls it. */
const withoutStreams = ((url: string, init?: RequestInit) =>
  new URL(url).pathname === "/v1/events"
    ? Promise.resolve(new Response(null, { status: 404 }))
    : fetch(url, init)) as typeof fetch;

/** Begins to follow, and waits until every follower does. Returns what ends it. */
async function follow(
  mode: Mode,
  mesh: PlainMesh,
  tasks: readonly string[],
): Promise<() => Promise<void>> {
  const abort = new AbortController();
  const { signal } = abort;
  const ended = mode === "none" ? [] : tasks.map((id) => followOne(mode, mesh, id, signal));
  // The streams are open, and the polls spread over their second.
  await sleep(3_000);
  return async () => {
    abort.abort();
    await Promise.all(ended);
  };
}

async function followOne(
  mode: Mode,
  mesh: PlainMesh,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await sleep(Math.random() * 1_000);
  const client = clientOf(mesh, mode === "polling" ? withoutStreams : undefined);
  const followed =
    mode === "everything" ? client.events({ signal }) : client.tasks.follow(id, { signal });
  try {
    for await (const _ of followed);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The milliseconds of each of some submissions, one after the other. */
async function submissions(client: MeshClient): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let n = 0; n < SUBMISSIONS_OF_ROUND; n++) {
    const began = performance.now();
    await client.tasks.submit(KIND, n);
    taken.push(performance.now() - began);
    await sleep(10);
  }
  return taken;
}

/** Milliseconds of the server's CPU for each heartbeat of a stream, beyond what it takes without streams. */
async function idleCpu(mesh: PlainMesh, tasks: readonly string[]): Promise<number> {
  const measure = async (mode: Mode): Promise<number> => {
    const stop = await follow(mode, mesh, tasks);
    const began = cpuMs(mesh.pid);
    await sleep(IDLE_MS);
    const used = cpuMs(mesh.pid) - began;
    await stop();
    return used;
  };
  const [without, used] = [await measure("none"), await measure("streams")];
  return rounded((used - without) / (tasks.length * (IDLE_MS / 15_000)));
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
const median = (values: readonly number[]): number =>
  rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
