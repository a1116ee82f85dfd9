import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Page } from "playwright-core";
import { startMesh } from "../server/mesh-process.ts";
import { connectPeer, controller } from "../src/client/index.ts";
import type { PeerView } from "../src/protocol/http.ts";
import { samplePeer } from "../test/dashboard/samples.ts";
import { Unavailable, type Bench } from "./bench.ts";

const PEERS = 10_000;
const PAGE = 500;
const EXECUTABLE = "/usr/bin/chromium";
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
/** From the click on "Sign in" until the table of peers can be scrolled and searched. */
const BAR_MS = 2_000;
/** How long the page is watched while it keeps the list up to date. */
const WATCHED_MS = 30_000;
const BUSY_SHARE_MAX = 0.1;
/** What happens in the mesh meanwhile: so many tasks a second, and a peer that joins or vanishes each second. */
const TASKS_PER_SECOND = 20;

/**
 * The page with many peers in a real browser. The list of peers is answered by the bench, so that the figures are those of the page; all other
 * answers are a mesh's.
 */
export const dashboard: Bench = {
  summary: `the dashboard with ${PEERS} peers in Chromium: until it can be used, a search, and its share of a core while tasks and peers come and go`,
  async run(log, scale) {
    if (!existsSync(EXECUTABLE)) throw new Unavailable("Chromium is not installed");
    const count = Math.max(1, Math.round(PEERS * scale));
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-dashboard-"));
    const mesh = await startMesh({ dir: join(dir, ".muster"), port: 0 });
    const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
    try {
      const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
      await answerPeers(page, manyPeers(count));
      await page.goto(`${mesh.url}/dashboard#/peers`);
      await page.getByLabel("Token").fill(mesh.adminToken);
      const startedAt = performance.now();
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText(`${count.toLocaleString("en-US")} peers`).waitFor();
      const readyMs = Math.round(performance.now() - startedAt);
      const searchedAt = performance.now();
      await page.getByRole("searchbox").fill(`peer-${count - 1}`);
      await page.getByText(`1 of ${count.toLocaleString("en-US")}`).waitFor();
      const searchMs = Math.round(performance.now() - searchedAt);
      await page.getByRole("searchbox").fill("");
      await page.getByText("Live", { exact: true }).waitFor();
      const requests = countRequests(page);
      const changing = changeMesh(mesh);
      const busyShare = await shareOfCore(page);
      const requestsPerMinute = Math.round((requests() * 60_000) / WATCHED_MS);
      const changes = await changing.stop();
      const rows = await page.getByRole("row").count();
      log(`ready after ${readyMs} ms, searched in ${searchMs} ms, ${rows} rows on the page`);
      log(
        `busy for ${(100 * busyShare).toFixed(1)} % of ${WATCHED_MS / 1_000} s with ${changes.tasks} tasks and ${changes.peers} joins, ${requestsPerMinute} requests a minute`,
      );
      const ok = readyMs < BAR_MS && busyShare < BUSY_SHARE_MAX;
      return {
        ok,
        peers: count,
        ready_ms: readyMs,
        search_ms: searchMs,
        rows,
        busy_share: busyShare,
        tasks_meanwhile: changes.tasks,
        joins_meanwhile: changes.peers,
        requests_per_minute: requestsPerMinute,
      };
    } finally {
      await browser.close();
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

function countRequests(page: Page): () => number {
  let count = 0;
  page.on("request", () => count++);
  return () => count;
}

interface Changing {
  /** Stops, and says how many tasks were submitted and how many peers joined. */
  readonly stop: () => Promise<{ readonly tasks: number; readonly peers: number }>;
}

/** Lets peers join and vanish, and a worker do tasks. */
function changeMesh({ url, adminToken }: Awaited<ReturnType<typeof startMesh>>): Changing {
  const handlers = { resize: (payload: unknown) => payload };
  const client = controller({ url, token: adminToken });
  const worker = connectPeer({ url, name: "worker", slots: 8, handlers });
  const done = { tasks: 0, peers: 0 };
  const over = new AbortController();
  const submitting = (async () => {
    await worker.ready;
    for (; !over.signal.aborted; done.tasks++) {
      await client.tasks.submit("resize", { width: done.tasks });
      await sleep(1_000 / TASKS_PER_SECOND);
    }
  })();
  const joining = (async () => {
    for (; !over.signal.aborted; done.peers++) {
      const peer = connectPeer({ url, name: `guest-${done.peers}`, handlers });
      await peer.ready;
      await sleep(1_000);
      await peer.close();
      await sleep(1_000);
    }
  })();
  return {
    async stop() {
      over.abort();
      await Promise.all([submitting, joining]);
      await worker.close();
      return done;
    },
  };
}

/** The share of the time in which the page's thread works, while nobody touches it. */
async function shareOfCore(page: Page): Promise<number> {
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable");
  const taskSeconds = async (): Promise<number> => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const before = await taskSeconds();
  await sleep(WATCHED_MS);
  return ((await taskSeconds()) - before) / (WATCHED_MS / 1_000);
}

async function answerPeers(page: Page, peers: readonly PeerView[]): Promise<void> {
  await page.route("**/v1/peers?*", (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const to = from + PAGE;
    return route.fulfill({
      json: { peers: peers.slice(from, to), next_cursor: to < peers.length ? String(to) : null },
    });
  });
}

const manyPeers = (count: number): readonly PeerView[] =>
  Array.from({ length: count }, (_, n) =>
    samplePeer({
      id: n.toString(16).padStart(32, "0"),
      name: `peer-${n}`,
      score: (n % 100) / 100,
      ping_ms: n % 300,
      kinds: ["resize", "digest"],
      capabilities: [`zone=${n % 7}`, "gpu"],
      slots: 4,
      tasks: n % 5,
      successes: n,
    }),
  );
