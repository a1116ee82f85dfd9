/** The steps of docs/deploy/Dockerfile, done in plain folders: an image needs a builder, its steps do not. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { freePort } from "../../src/cli/ports.ts";
import { waitFor } from "../wait-for.ts";
import { readDockerfile, type Image } from "./dockerfile.ts";
import { ROOT, run } from "./tools.ts";

/** The user `node` of the image, if these tests may start processes of other users. */
const USER_ID = 1_000;
const isRoot = process.getuid?.() === 0;
const asUser = isRoot ? { uid: USER_ID, gid: USER_ID } : {};

let image: Image;
let root = "";
let port = 0;
let mesh: ChildProcess | null = null;

/** The path in the plain folder that stands for one in the image. */
const inFolder = (text: string): string => text.replace(/^\/(?=app|data)/, `${root}/`);

/** The environment of the image; like `docker run -e`, it selects a port that is free here, and this machine alone. */
const environment = (): Record<string, string> => ({
  PATH: join(root, "bin"),
  ...Object.fromEntries(Object.entries(image.env).map(([name, text]) => [name, inFolder(text)])),
  MUSTER_HOST: "127.0.0.1",
  MUSTER_PORT: String(port),
});

/** Runs a command of the image to its end, as `docker exec` does. Rejects if it fails. */
const exec = ([program = "", ...args]: readonly string[]) =>
  promisify(execFile)(program, args.map(inFolder), {
    cwd: join(root, "data"),
    env: environment(),
    ...asUser,
  });
const muster = (...args: readonly string[]) =>
  exec([...image.entrypoint.slice(0, -1), ...args]).then(({ stdout }) => stdout);

async function start(): Promise<void> {
  const [program = "", ...args] = image.entrypoint;
  const options = { cwd: join(root, "data"), env: environment(), ...asUser };
  mesh = spawn(program, args.map(inFolder), { ...options, stdio: ["ignore", "ignore", "inherit"] });
  await waitFor(() => exec(image.healthCheck));
}

async function stop(): Promise<readonly [code: number | null, signal: string | null]> {
  if (mesh === null) throw new Error("the mesh was not started");
  const ended = once(mesh, "exit") as Promise<[number | null, string | null]>;
  mesh.kill(image.stopSignal as NodeJS.Signals);
  return ended;
}

beforeAll(async () => {
  image = readDockerfile(await readFile(join(ROOT, "docs/deploy/Dockerfile"), "utf8"));
  root = await mkdtemp(join(tmpdir(), "muster-image-"));
  port = await freePort("127.0.0.1");
  for (const folder of ["app", "data", "bin"]) await mkdir(join(root, folder));
  await copyFile(process.execPath, join(root, "bin/node"));
  for (const path of [root, join(root, "bin/node")]) await chmod(path, 0o755);
  if (isRoot) await chown(join(root, "data"), USER_ID, USER_ID);
});
afterAll(async () => {
  mesh?.kill("SIGKILL");
  await rm(root, { recursive: true, force: true });
});

test("SV36 the steps of the Dockerfile give a mesh whose health check holds, which ends by the stop signal and starts again as the same mesh", async () => {
  const [install = "", ...more] = image.commands;
  expect(more).toEqual(["mkdir /data && chown node:node /data"]);
  const { mesh: meshPackage, server } = inject("installed").tarballs;
  const [npm = "", ...args] = install
    .replace("muster-mesh@${MUSTER_VERSION}", meshPackage)
    .replace("muster-mesh-server@${MUSTER_VERSION}", server)
    .split(" ");
  await run(npm, [...args, "--prefer-offline"], { cwd: join(root, "app") });
  expect([image.user, image.volume]).toEqual(["node", "/data"]);

  await expect(exec(image.healthCheck)).rejects.toMatchObject({ code: 1 });
  await start();
  const before = JSON.parse(await muster("mesh", "--json")) as { readonly public_key: string };
  await muster("tasks", "--json");
  expect(await stop()).toEqual([0, null]);
  await expect(exec(image.healthCheck)).rejects.toMatchObject({ code: 1 });
  await start();
  expect(JSON.parse(await muster("mesh", "--json"))).toMatchObject({
    public_key: before.public_key,
  });
  expect(await stop()).toEqual([0, null]);
});

test.skipIf(!isRoot)(
  "SV36 the mesh of the image can write nothing but its data (skipped unless root runs the tests)",
  async () => {
    const write = (path: string) =>
      exec(["node", "-e", `require("fs").writeFileSync(${JSON.stringify(path)}, "")`]);
    await expect(write(join(root, "app/file"))).rejects.toThrow(/EACCES/);
    await expect(write(join(root, "file"))).rejects.toThrow(/EACCES/);
    await write(join(root, "data/file"));
  },
);
