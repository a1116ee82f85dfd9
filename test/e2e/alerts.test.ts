import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { controller, type AlertNotice, type MeshClient } from "../../src/client/index.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { verifyDelivery } from "../../src/webhooks/index.ts";
import { present } from "../must.ts";
import { eventually, muster, start, type MusterProcess } from "./processes.ts";
import { Receiver } from "./receiver.ts";

let dir: string;
let mesh: MeshProcess;
let control: MeshClient;
let receiver: Receiver;
let worker: MusterProcess | undefined;

const SETTINGS = {
  ALLOW_LOOPBACK: "true",
  AUTH_MODE: "allowlist",
  ALERT_PEER_DOWN_MINUTES: "0.05",
  ALERT_RESOLVE_MINUTES: "0",
};

async function startAgain(): Promise<void> {
  const ALERT_WEBHOOKS = `${receiver.url}/pager`;
  const variables = { ...SETTINGS, ALERT_WEBHOOKS };
  mesh = await startMesh({ dir: join(dir, ".muster"), port: 0, variables });
  control = controller({ url: mesh.url, token: mesh.adminToken });
}

/** The key is given by its file: the mesh has another port after its restart, and by its URL `join` would make another key. */
async function joinWorker(): Promise<void> {
  const options = ["--key-file", "worker.json", "--exec", "cat", "--name", "worker"];
  worker = start(["join", ...options], { cwd: dir, env: { MUSTER_URL: mesh.url } });
  await eventually(
    async () => (await control.peers.list().toArray()).some(({ state }) => state === "active"),
    () => `the worker does not join: ${worker?.stdout}${worker?.stderr}`,
  );
}

/** The notices that the receiver got, after their signatures were verified, with the IDs of their deliveries. */
async function notices(): Promise<readonly (AlertNotice & { readonly delivery: string })[]> {
  const { secret } = await control.callbacks.secret(receiver.url);
  return receiver.at("/pager").map(({ headers, body }) => {
    const verified = verifyDelivery(
      { scheme: "standard-webhooks" },
      {
        secrets: [secret],
        headers: { get: (name) => String(headers[name] ?? "") },
        body: utf8(body),
        now: Date.now(),
      },
    );
    if (!verified.ok) throw new Error(verified.error.detail);
    return { ...(JSON.parse(body) as AlertNotice), delivery: verified.value.deliveryId };
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-alerts-"));
  receiver = await Receiver.start((_, nth, response) => {
    response.writeHead(nth === 0 ? 500 : 204).end();
  });
  await startAgain();
});
afterAll(async () => {
  worker?.child.kill("SIGKILL");
  receiver.stop();
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

test("EV37 a mesh whose alert webhook may not be called does not start, and says which it is without its value", async () => {
  const variables = { ALERT_WEBHOOKS: "https://pager.example, http://10.0.0.7/5ecret" };
  const message = await startMesh({ dir: join(dir, ".other"), port: 0, variables }).then(
    () => "it starts",
    (error: Error) => error.message,
  );
  expect(message).toContain("ALERT_WEBHOOKS has as entry 2 a URL that may not be called");
  expect(message).not.toMatch(/5ecret|10\.0\.0\.7/);
});

test(
  "EV34 EV35 EV25 EV30 a worker that is killed is an alert, of which a receiver that fails first is told, and whose end it is told after a restart of the mesh",
  { timeout: 400_000 },
  async () => {
    const made = await muster(["keygen", "--out", "worker.json", "--json"], { cwd: dir });
    const { public_key } = JSON.parse(made.stdout) as { public_key: string };
    await control.allowlist.put(public_key);
    await joinWorker();
    worker?.child.kill("SIGKILL");
    await eventually(
      async () => (await control.alerts()).length === 1,
      () => "no alert fires",
    );
    const alert = present((await control.alerts())[0]);
    expect(alert).toMatchObject({ alert: "peer_down", threshold: 3 });
    const options = ["--url", mesh.url, "--token", mesh.adminToken];
    expect((await muster(["alerts", ...options], { cwd: dir })).stdout).toContain(alert.key);
    // The first attempt was refused.
    await eventually(
      async () => (await notices()).length >= 2,
      () => "the receiver is not told again",
    );
    const told = await notices();
    for (const notice of told) expect(notice).toMatchObject({ type: "alert.firing", data: alert });
    expect(new Set(told.map(({ delivery }) => delivery)).size).toBe(1);
    await mesh.stop();
    await startAgain();
    expect(await control.alerts()).toEqual([alert]);
    await joinWorker();
    await eventually(
      async () => (await notices()).at(-1)?.type === "alert.resolved",
      () => "the receiver is not told of the end",
    );
    expect(await control.alerts()).toEqual([]);
    expect((await notices()).at(-1)?.data).toEqual(alert);
  },
);
