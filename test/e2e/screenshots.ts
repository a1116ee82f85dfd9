/** `npm run screenshots`: takes the pictures of the dashboard in `docs/`, of a mesh whose peers do tasks. It needs Chromium. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { startMesh } from "../../server/mesh-process.ts";
import { connectPeer, controller, type MeshClient, type Peer } from "../../src/client/index.ts";

const DOCS = join(import.meta.dirname, "../../docs");
/** How long the peers work before the pictures are taken. */
const WORK_MS = 170_000;
const PEERS = [
  { name: "frankfurt-01", slots: 4, workMs: 1_250, failures: 0 },
  { name: "frankfurt-02", slots: 4, workMs: 1_320, failures: 0 },
  { name: "paris-gpu", slots: 2, workMs: 980, failures: 0.02 },
  { name: "warsaw-01", slots: 3, workMs: 1_500, failures: 0 },
  { name: "laptop", slots: 1, workMs: 1_900, failures: 0.3 },
];

const dir = await mkdtemp(join(tmpdir(), "muster-screenshots-"));
const mesh = await startMesh({ dir: join(dir, ".muster"), port: 0 });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const peers = PEERS.map(joined);
try {
  await Promise.all(peers.map(({ ready }) => ready));
  const client = controller({ url: mesh.url, token: mesh.adminToken });
  const submitting = new AbortController();
  const submitted = submitTasks(client, submitting.signal);
  await sleep(WORK_MS);
  const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
  await page.goto(`${mesh.url}/dashboard`);
  await page.getByLabel("Token").fill(mesh.adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".chart canvas").waitFor();
  await page.getByText("Why tasks failed").waitFor();
  await page.screenshot({ path: join(DOCS, "dashboard-overview.png") });
  submitting.abort();
  const last = await submitted;
  await client.tasks.wait(last);
  await page.evaluate(`location.hash = "/tasks/${last}"`);
  await page.locator(".contenders").waitFor();
  await page.screenshot({ path: join(DOCS, "dashboard-task.png") });
} finally {
  await browser.close();
  await Promise.all(peers.map((peer) => peer.close()));
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
}

/** Submits tasks until the signal is aborted. Resolves to the ID of the last one. */
async function submitTasks(client: MeshClient, signal: AbortSignal): Promise<string> {
  let last = "";
  for (let n = 0; !signal.aborted; n++) {
    const kind = n % 3 === 2 ? "text/digest" : "image/resize";
    const task = await client.tasks.submit(kind, { file: `photos/${1_000 + n}.jpg`, width: 1_280 });
    last = task.id;
    await sleep(250 + 250 * Math.random());
  }
  return last;
}

function joined({ name, slots, workMs, failures }: (typeof PEERS)[number]): Peer {
  const work = async (payload: unknown): Promise<unknown> => {
    await sleep(workMs * (0.7 + 0.6 * Math.random()));
    if (Math.random() < failures) throw new Error("no space left on device");
    return { done: payload };
  };
  return connectPeer({
    url: mesh.url,
    name,
    slots,
    handlers: { "image/resize": work, "text/digest": work },
  });
}
