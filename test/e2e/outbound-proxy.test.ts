import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { connectPeer, controller, type MeshClient, type Peer } from "../../src/client/index.ts";
import { eventually } from "./processes.ts";
import { Receiver } from "./receiver.ts";

/** What names resolve to. */
const ADDRESSES: Readonly<Record<string, string>> = {
  "allowed.example.com": "127.0.0.1",
  "private.example.com": "10.9.8.7",
  "mapped.example.com": "::ffff:127.0.0.1",
  "metadata.example.com": "169.254.169.254",
};
const NOT_PUBLIC = "the host name resolves to an address that is not public";

let dir: string;
let mesh: MeshProcess;
let control: MeshClient;
let peer: Peer;
let receiver: Receiver;
const resolved: string[] = [];
/** What the mesh reported. */
const reported: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-outbound-"));
  receiver = await Receiver.start((_got, _nth, response) => response.writeHead(204).end());
  mesh = await startMesh({
    dir: join(dir, ".muster"),
    port: 0,
    variables: { ALLOW_LOOPBACK: "true" },
    onLog: ({ message }) => void reported.push(message),
    resolve: async (name) => {
      resolved.push(name);
      const address = ADDRESSES[name] ?? "";
      return [{ address, family: address.includes(":") ? 6 : 4 }];
    },
  });
  control = controller({ url: mesh.url, token: mesh.adminToken });
  peer = connectPeer({ url: mesh.url, meshKey: mesh.meshKey, handlers: { echo: (it) => it } });
  await peer.ready;
});
afterAll(async () => {
  receiver.stop();
  await peer.close();
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

const at = (host: string, path: string): string =>
  `${receiver.url.replace("127.0.0.1", host)}${path}`;

/** The first attempt of a callback to the URL. */
async function firstAttempt(url: string) {
  const { id } = await control.tasks.submit("echo", 1, { callback: { url } });
  const attempts = async () =>
    ((await control.tasks.get(id)).callback?.attempts ?? []).filter(
      ({ ended_at: endedAt }) => endedAt !== null,
    );
  await eventually(
    async () => (await attempts()).length > 0,
    () => `an attempt to call ${url}`,
  );
  return (await attempts())[0];
}

test("CB21 a callback to a name that resolves to an address that may be called is delivered", async () => {
  const url = at("allowed.example.com", "/hook?a=1");
  expect(await firstAttempt(url)).toMatchObject({ status: 204, error: null });
  const [got] = receiver.at("/hook?a=1");
  expect(got?.headers).toMatchObject({
    host: new URL(url).host,
    "user-agent": "muster-callback/1",
  });
  expect(got?.headers).toHaveProperty("webhook-signature");
  expect(JSON.parse(got?.body ?? "")).toMatchObject({ type: "task.succeeded" });
  expect(resolved).toEqual(["allowed.example.com"]);
});

test.for(["private", "mapped", "metadata"])(
  "CB21 a callback to a name that resolves to a private address fails with that reason: %s",
  async (name) => {
    const attempt = await firstAttempt(at(`${name}.example.com`, `/${name}`));
    expect(attempt).toMatchObject({ status: null, error: `not sent: ${NOT_PUBLIC}` });
    expect(receiver.at(`/${name}`)).toEqual([]);
  },
);

test.for(["private", "mapped", "metadata"])(
  "CB21 a peer whose name resolves to a private address is not dialed, with that reason: %s",
  async (name) => {
    const url = at(`${name}.example.com`, "/ws").replace("http", "ws");
    const { id } = await control.dials.put(url);
    const error = async () =>
      (await control.dials.list().toArray()).find((dial) => dial.id === id)?.last_error;
    await eventually(
      async () => typeof (await error()) === "string",
      () => `an attempt to dial ${url}`,
    );
    expect(await error()).toBe(`not dialed: ${NOT_PUBLIC}`);
    expect(receiver.at("/ws")).toEqual([]);
  },
);

test("CB23 the secret of the proxy is in the environment of workerd, and neither in arguments, files nor reports", async () => {
  const environment = await readFile(`/proc/${mesh.pid}/environ`, "utf8");
  const secret = /OUTBOUND_PROXY_SECRET=([0-9a-f]{64})\0/.exec(environment)?.[1] ?? "";
  expect(secret).toHaveLength(64);
  const { stdout } = await promisify(execFile)("ps", ["axww", "-o", "command="]);
  expect(stdout).toContain(mesh.folder.run);
  expect(stdout).not.toContain(secret);
  const names = await readdir(mesh.folder.root, { recursive: true });
  expect(names).toContain("run/workerd.capnp");
  for (const name of names)
    expect(await readFile(join(mesh.folder.root, name), "latin1").catch(() => "")).not.toContain(
      secret,
    );
  expect(reported.join("\n")).not.toContain(secret);
});
