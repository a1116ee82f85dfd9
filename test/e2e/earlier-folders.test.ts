import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { restoreFolder } from "../../src/cli/backup/restored-folder.ts";
import { THIS_VERSION } from "../../src/cli/folder-version.ts";
import { readFileIfExists } from "../../src/cli/files.ts";
import { readMeshFile, stateFolder } from "../../src/cli/state-folder.ts";
import { connectPeer, controller, deliver, type Task } from "../../src/client/index.ts";
import {
  EARLIER_BACKUPS,
  EARLIER_FOLDERS,
  EARLIER_SERVE,
  earlierMesh,
  moveTimes,
  unpackEarlier,
  type EarlierMesh,
  type ShownTask,
} from "../earlier-mesh.ts";
import { hexBytes, present } from "../must.ts";
import { ProcessMarker, start } from "./processes.ts";

const LARGE_RESULT = 300_000;

let folder: string;
let mark: ProcessMarker;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "muster-earlier-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Runs `muster start` or `muster serve` on a folder while `use` uses its mesh. */
async function whileRunning(
  command: "start" | "serve",
  dir: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const env = { ...mark.env, AUTH_MODE: "open" };
  const mesh = start([command, "--port", "0", "--dir", dir], { cwd: folder, env });
  await mesh.waitForOutput(/Ctrl-C stops it|the mesh runs/);
  const { url } = present(await readMeshFile(stateFolder(dir)));
  await use(url);
  mesh.child.kill("SIGTERM");
  expect(await mesh.finished).toMatchObject({ code: 0 });
}

/** What the mesh of an earlier version has, and nobody has changed since. */
async function expectEarlier(url: string, earlier: EarlierMesh): Promise<void> {
  const client = controller({ url, token: earlier.admin_token });
  expect((await client.settings.mesh()).public_key).toBe(earlier.mesh_key);
  for (const [label, shown] of Object.entries(earlier.shown.tasks)) {
    const task = await client.tasks.get(shown.id);
    if (HAS_ENDED.has(shown.state)) expect([label, viewOf(task)]).toEqual([label, viewOf(shown)]);
    expect([label, task.payload]).toEqual([label, shown.payload]);
    if (label === "large")
      expect(await client.tasks.result<string>(shown.id)).toBe("x".repeat(LARGE_RESULT));
  }
  for (const { id, name, public_key } of earlier.shown.peers)
    expect(await client.peers.get(id)).toMatchObject({ name, public_key });
  const listed = await client.allowlist.list().toArray();
  expect(listed.map(({ public_key }) => public_key)).toContain(earlier.keys.listed.public_key);
  expect((await client.joinKeys.list().toArray()).map(({ id }) => id)).toContain(
    earlier.join_key.id,
  );
}

const HAS_ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

/** What earlier versions and this one show alike, without times. */
const viewOf = ({ kind, state, payload, result, error, attempts }: ShownTask | Task) => ({
  kind,
  state,
  payload,
  result,
  error,
  attempts: attempts.map(({ attempt, peer_id, peer_name, state: ended }) => ({
    attempt,
    peer_id,
    peer_name,
    ended,
  })),
});

/** Tokens, revocations, idempotency keys, and the sealed secret of the webhook source hold as before. */
async function expectRights(url: string, earlier: EarlierMesh): Promise<void> {
  const { tokens, keys, shown, webhook } = earlier;
  const { queued, delivered } = shown.tasks;
  const live = controller({ url, token: tokens.live.token });
  await live.tasks.stats();
  const ended = controller({ url, token: tokens.revoked.token });
  await expect(ended.tasks.stats()).rejects.toMatchObject({ code: "unauthorized" });
  const revoked = connectPeer({
    url,
    privateKey: hexBytes(keys.revoked.private_key),
    handlers: {},
  });
  await expect(revoked.ready).rejects.toMatchObject({ code: "revoked" });
  const admin = controller({ url, token: earlier.admin_token });
  const again = await admin.tasks.submit("later", present(queued).payload, {
    priority: 5,
    capabilities: ["later"],
    deadlineSeconds: 29 * 86_400,
    idempotencyKey: earlier.idempotency_key,
  });
  expect(again.id).toBe(present(queued).id);
  const { source, secret, delivery } = webhook;
  const repeated = await deliver({ file: "a.png" }, { url, source, secret, id: delivery });
  expect(repeated.task_id).toBe(present(delivered).id);
}

/** The worker comes back with its key, and does what had not ended. */
async function finishTasks(url: string, { keys, admin_token, shown }: EarlierMesh): Promise<void> {
  const client = controller({ url, token: admin_token });
  const peer = connectPeer({
    url,
    privateKey: hexBytes(keys.worker.private_key),
    name: "worker",
    capabilities: ["gpu", "later"],
    handlers: { later: (payload) => payload, endless: () => "ended after the upgrade" },
  });
  await peer.ready;
  const results = {
    queued: { n: 1 },
    delivered: { file: "a.png" },
    running: "ended after the upgrade",
  };
  for (const [label, result] of Object.entries(results)) {
    const { id } = present(shown.tasks[label]);
    expect([label, await client.tasks.wait(id)]).toMatchObject([
      label,
      { state: "succeeded", result },
    ]);
  }
  await peer.close();
}

describe("a folder that an earlier version has written", () => {
  test.each(EARLIER_FOLDERS)(
    "BK35 %s is started by this version: results can be read, tasks go on, revoked keys and tokens stay out",
    async (name) => {
      const earlier = await earlierMesh(name);
      const dir = await unpackEarlier(name, folder);
      await moveTimes(dir, Date.now() - earlier.made_at);
      await whileRunning("start", dir, async (url) => {
        await expectEarlier(url, earlier);
        await expectRights(url, earlier);
      });
      expect(JSON.parse(present(await readFileIfExists(stateFolder(dir).version)))).toEqual(
        THIS_VERSION,
      );
      await whileRunning("serve", dir, async (url) => {
        await expectEarlier(url, earlier);
        await finishTasks(url, earlier);
        await expectRights(url, earlier);
      });
      await mark.expectNoneLeft();
    },
  );
});

describe("a backup that an earlier version has made", () => {
  test("BK35 is restored and started by this version, and its tasks go on", async () => {
    const earlier = await earlierMesh(EARLIER_SERVE);
    const dir = join(folder, "restored");
    await restoreFolder({
      file: `${EARLIER_BACKUPS}.sealed.backup`,
      dir,
      opener: { passphrase: present(earlier.backup).passphrase },
      secretsFile: undefined,
    });
    await moveTimes(dir, Date.now() - earlier.made_at);
    await whileRunning("serve", dir, async (url) => {
      await expectEarlier(url, earlier);
      await expectRights(url, earlier);
      await finishTasks(url, earlier);
    });
  });
});
