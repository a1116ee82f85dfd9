import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleWorkers } from "../../server/bundle.ts";
import { askMesh } from "../../server/ask-mesh.ts";
import { startMesh } from "../../server/mesh-process.ts";
import { startWorkerd } from "../../server/workerd.ts";
import { controller } from "../../src/client/index.ts";
import { collectedLog } from "../collected-log.ts";
import { waitFor } from "../wait-for.ts";
import { Receiver } from "./receiver.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-plain-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** In the place of the mesh's Worker: answers with the status of a request to the URL in its query, or with "refused". */
const PROBE = `import { DurableObject } from "cloudflare:workers";
export class PeerSession extends DurableObject {}
export class Coordinator extends DurableObject {}
export default { fetch: (request) => fetch(new URL(request.url).searchParams.get("url")).then(
  ({ status }) => new Response(JSON.stringify(status)), () => new Response('"refused"')) };`;

describe("a mesh on plain workerd", () => {
  test("SV5 workerd listens on a Unix socket in a private folder, and on no port", async () => {
    const mesh = await startMesh({ dir, port: 0 });
    try {
      expect((await stat(mesh.folder.run)).mode & 0o777).toBe(0o700);
      const socket = join(mesh.folder.run, "mesh.sock");
      expect((await stat(socket)).isSocket()).toBe(true);
      expect((await askMesh(socket, { path: "/healthz" })).status).toBe(200);
      const listening = (await readFile(`/proc/${mesh.pid}/net/tcp`, "utf8"))
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === "0A")
        .map((fields) => fields[9]);
      const own = await Promise.all(
        (await readdir(`/proc/${mesh.pid}/fd`)).map((fd) =>
          readlink(`/proc/${mesh.pid}/fd/${fd}`).catch(() => ""),
        ),
      );
      for (const inode of listening) expect(own).not.toContain(`socket:[${inode}]`);
    } finally {
      await mesh.stop();
    }
    expect(await readdir(dir)).not.toContain("run");
  });

  test("SV7 the Worker reaches no private address, except services that the operator has configured", async () => {
    const receiver = await Receiver.start((_got, _nth, response) => response.writeHead(204).end());
    await bundleWorkers(dir);
    await writeFile(join(dir, "mesh.js"), PROBE);
    const { host, origin, port } = new URL(receiver.url);
    const socket = join(dir, "mesh.sock");
    const workerd = await startWorkerd({
      folder: dir,
      config: {
        socket,
        objects: dir,
        proxy: host,
        locations: host,
        disk: host,
        configuredOrigins: [origin],
      },
      variables: {},
      log: collectedLog().log,
      admits: () => true,
    });
    try {
      await workerd.listening;
      const outcome = async (url: string) =>
        (await askMesh(socket, { path: `/?url=${encodeURIComponent(url)}` })).body;
      expect(await outcome(`${origin}/configured`)).toBe(204);
      expect(await outcome("http://outbound-proxy.muster.invalid/")).toBe(204);
      expect(await outcome("http://locations.muster.invalid/192.0.2.1")).toBe(204);
      const before = receiver.at("/private").length;
      for (const name of ["localhost", "127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])
        expect([name, await outcome(`http://${name}:${port}/private`)]).toEqual([name, "refused"]);
      expect(await outcome(`http://elsewhere.muster.invalid:${port}/private`)).toBe("refused");
      expect(receiver.at("/private")).toHaveLength(before);
    } finally {
      await workerd.stop();
      receiver.stop();
    }
  });

  test("SV7 a store for replicas on this machine, whose URL is a secret, is reached", async () => {
    const store = await Receiver.start((_got, _nth, response) => response.writeHead(500).end());
    const secrets = { UPSTASH_REDIS_REST_URL: store.url, UPSTASH_REDIS_REST_TOKEN: "token" };
    const mesh = await startMesh({ dir, port: 0, secrets });
    try {
      await controller({ url: mesh.url, token: mesh.adminToken }).settings.authMode();
      await waitFor(() => expect(store.received.length).toBeGreaterThan(0));
    } finally {
      await mesh.stop();
      store.stop();
    }
  });

  test("SV8 a mesh that an earlier version ran with wrangler keeps its tasks", async () => {
    const first = await startMesh({ dir, port: 0 });
    const { id } = await controller({ url: first.url, token: first.adminToken }).tasks.submit(
      "x",
      1,
    );
    await first.stop();
    await rename(join(first.folder.state, "objects"), join(dir, "do"));
    await mkdir(join(first.folder.state, "v3"));
    await rename(join(dir, "do"), join(first.folder.state, "v3/do"));
    const second = await startMesh({ dir, port: 0 });
    try {
      const { url, adminToken: token } = second;
      expect(await controller({ url, token }).tasks.get(id)).toMatchObject({ state: "queued" });
    } finally {
      await second.stop();
    }
  });
});
