/** What npm makes of signals, with the real npm: it runs scripts by a shell, and may pass a signal on or not. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controller } from "../../src/client/index.ts";
import { testMesh } from "./mesh.ts";
import { eventually, PROJECT, ProcessMarker } from "./processes.ts";
import { present } from "../must.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-npm-"));
  mark = new ProcessMarker();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Starts npm or npx in the checkout, and waits for this output. */
async function run(words: readonly string[], until: RegExp, cwd = PROJECT): Promise<ChildProcess> {
  const [program = "", ...args] = words;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...mark.env, XDG_CONFIG_HOME: dir, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`${words.join(" ")} ended: ${text}`);
      return until.test(text);
    },
    () => `${until} in: ${text}`,
  );
  return child;
}

const MESH = ["--port", "0", "--dir"];
/** What `muster start` prints when the mesh runs. */
const MESH_RUNS = /http:\/\/127\.0\.0\.1:\d+/;

describe.each(["SIGTERM", "SIGHUP"] as const)("CL61 %s", (signal) => {
  test.each([
    ["npm start", ["npm", "start", "--", ...MESH]],
    ["npx muster start", ["npx", "muster", "start", ...MESH]],
  ])("to %s ends everything that it started", async (_, words) => {
    const npm = await run([...words, join(dir, "mesh")], MESH_RUNS);
    npm.kill(signal);
    await mark.expectNoneLeft();
  });
});

test("CL61 Ctrl-C in a terminal, which goes to the whole group, ends npm start and everything that it started", async () => {
  const npm = await run(["npm", "start", "--", ...MESH, join(dir, "mesh")], MESH_RUNS);
  process.kill(-present(npm.pid), "SIGINT");
  await mark.expectNoneLeft();
});

test("CL61 a script that starts a mesh in the background lets it outlive npm", async () => {
  const args = [...MESH, join(dir, "mesh")].join(" ");
  const manifest = {
    scripts: { background: `node ${PROJECT}/src/cli/main.ts start ${args} & sleep 1000` },
  };
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
  const npm = await run(["npm", "run", "background"], MESH_RUNS, dir);
  const meshes = async () =>
    (await mark.markedProcesses()).filter(({ command }) => command.includes("main.ts start"));
  npm.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const [mesh] = (await meshes()).filter(({ command }) => command.startsWith("node"));
  expect(mesh).toBeDefined();
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGTERM");
  await mark.expectNoneLeft();
});

test.each([
  ["npm run muster", ["npm", "run", "muster", "--", "join"]],
  ["npx muster", ["npx", "muster", "join"]],
])("CL61 SIGTERM to %s join --exec ends its programs, too", async (_, words) => {
  const started = await testMesh();
  try {
    const npm = await run(
      [
        ...words,
        started.mesh.url,
        "--no-hops",
        "--drain-timeout",
        "0",
        "--exec",
        "sleep 600 & sleep 600",
      ],
      /joined/,
    );
    const { url, adminToken: token } = started.mesh;
    await controller({ url, token }).tasks.submit("sleep");
    await eventually(
      async () =>
        (await mark.markedProcesses()).filter(({ command }) => command.startsWith("sleep 600"))
          .length === 2,
      () => "two processes of the program",
    );
    npm.kill("SIGTERM");
    await mark.expectNoneLeft();
  } finally {
    await started.stop();
  }
});
