import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectPeer, controller } from "../../src/client/index.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { FILES } from "../../workers/dashboard/assets.js";
import { PROJECT } from "./processes.ts";
import { startWrangler, type WranglerMesh } from "./wrangler.ts";

let dir: string;
let mesh: WranglerMesh;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-wrangler-"));
  mesh = await startWrangler(dir, { AUTH_MODE: "open" });
});
afterAll(async () => {
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

test("SV40 under wrangler dev, as for a deployment to Cloudflare, a peer joins and does a task with a large result, and the dashboard is served", async () => {
  const { url, meshKey, adminToken: token } = mesh;
  const large = "x".repeat(1_500_000);
  const peer = connectPeer({ url, meshKey, handlers: { large: () => large } });
  await peer.ready;
  expect(await controller({ url, token }).run("large", 1)).toBe(large);
  await peer.close();
  // SV40: wrangler runs the build of the dashboard.
  const page = await (await fetch(`${url}/dashboard`)).text();
  for (const name of Object.keys(FILES)) {
    expect(page).toContain(name);
    expect((await fetch(`${url}/dashboard/${name}`)).status).toBe(200);
  }
});

const python = join(PROJECT, "python/.venv/bin/python");
const isMissing = !existsSync(python);
const skippedBecause = isMissing
  ? " (skipped: `npm run test:python` makes the environment that this needs)"
  : "";
const LARGEST = 25 * 1_024 * 1_024 - '""'.length;

test.skipIf(isMissing)(
  `PY38 under wrangler dev a peer in Python does tasks, also with a result of 25 MiB${skippedBecause}`,
  async () => {
    const { url, meshKey, adminToken: token } = mesh;
    const peer = spawn(python, [join(PROJECT, "examples/conformance_peer.py")], {
      stdio: "inherit",
      env: {
        ...process.env,
        MUSTER_URL: url,
        MUSTER_MESH_KEY: meshKey,
        MUSTER_PRIVATE_KEY: Buffer.from(generateIdentity().privateKey).toString("hex"),
        MUSTER_KINDS: "echo,big",
      },
    });
    const ended = once(peer, "exit");
    const control = controller({ url, token });
    expect(await control.run("echo", { digits: [1.5, "ü"] })).toEqual({ digits: [1.5, "ü"] });
    expect(await control.run("big", { bytes: LARGEST })).toHaveLength(LARGEST);
    peer.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  },
);
