import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { readFileIfExists } from "../../src/cli/files.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { connectPeer, controller, type PeerEvent } from "../../src/client/index.ts";
import { eventually } from "./processes.ts";

const hasCaddy = spawnSync("caddy", ["version"]).status === 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe.skipIf(!hasCaddy)("a mesh behind Caddy (needs caddy)", () => {
  let dir: string;
  let mesh: MeshProcess;
  let caddy: ChildProcess;
  let url: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "muster-caddy-"));
    mesh = await startMesh({
      dir: join(dir, ".muster"),
      port: 0,
      isLocal: false,
      variables: { AUTH_MODE: "open", TRUSTED_PROXIES: "127.0.0.1,::1" },
    });
    const port = await freePort();
    url = `https://localhost:${port}`;
    // What docs/deploy/compose.yaml runs, with a certificate of Caddy's own authority.
    await writeFile(
      join(dir, "Caddyfile"),
      `{
  admin off
  auto_https disable_redirects
  skip_install_trust
  storage file_system "${join(dir, "caddy")}"
}
${url} {
  bind 127.0.0.1
  tls internal
  reverse_proxy ${new URL(mesh.url).host}
}
`,
    );
    const args = ["run", "--config", join(dir, "Caddyfile"), "--adapter", "caddyfile"];
    caddy = spawn("caddy", args, { stdio: "ignore", env: { ...process.env, HOME: dir } });
    const root = join(dir, "caddy/pki/authorities/local/root.crt");
    await eventually(
      async () => (await readFileIfExists(root)) !== null,
      () => "the certificate of Caddy's authority",
    );
    setDefaultCACertificates([...getCACertificates("default"), await readFile(root, "utf8")]);
    await eventually(
      () =>
        fetch(`${url}/healthz`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      () => `an answer of ${url}`,
    );
  });
  afterAll(async () => {
    caddy?.kill("SIGKILL");
    await mesh?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  test("SV35 peers join and run tasks, and controllers submit them, over its TLS", async () => {
    const peer = connectPeer({
      url,
      meshKey: mesh.meshKey,
      handlers: { echo: (payload) => payload },
    });
    await peer.ready;
    const control = controller({ url, token: mesh.adminToken });
    expect(await control.run("echo", { n: 1 })).toEqual({ n: 1 });
    expect(await control.run("echo", "x".repeat(200_000))).toHaveLength(200_000);
    await peer.close();
  });

  test("SV35 a mesh that stops ends the sessions behind it with close code 4503", async () => {
    const codes: unknown[] = [];
    const onEvent = (event: PeerEvent) => {
      if (event.type === "disconnected") codes.push(event.code);
    };
    const peer = connectPeer({ url, meshKey: mesh.meshKey, handlers: {}, onEvent });
    await peer.ready;
    await mesh.drain();
    await eventually(
      () => codes.length > 0,
      () => "the end of the session",
    );
    expect(codes[0]).toBe(4503);
    await peer.close();
  });
});
