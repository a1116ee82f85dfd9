import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { muster, ProcessMarker, start, startedLine, type MusterProcess } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-public-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: dir,
  env: { ...mark.env, ...env },
});

/** Passes connections on to the port that it is told later, as a proxy in front of a mesh does. */
async function tcpProxy(): Promise<{ server: Server; url: string; to: (port: number) => void }> {
  let target = 0;
  const server = createServer((client) => {
    const mesh = connect(target, "127.0.0.1");
    for (const socket of [client, mesh]) socket.on("error", () => {});
    client.pipe(mesh).pipe(client);
    client.on("close", () => mesh.destroy());
    mesh.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://localhost:${port}`, to: (mesh) => void (target = mesh) };
}

const serve = async (...args: string[]): Promise<MusterProcess> => {
  const mesh = start(["serve", "--port", "0", "--log", "json", ...args], options());
  await mesh.waitForOutput(/the mesh runs/);
  return mesh;
};

async function stop(mesh: MusterProcess): Promise<void> {
  mesh.child.kill("SIGTERM");
  await mesh.finished;
}

describe("a mesh with PUBLIC_URL", () => {
  test("CL66 join-key create prints a link through the proxy, and a peer joins with it", async () => {
    const proxy = await tcpProxy();
    const mesh = await serve("--public-url", `${proxy.url}/`);
    const [first = ""] = mesh.stdout.split("\n");
    const { url, public_url } = JSON.parse(first) as Record<string, string>;
    expect(public_url).toBe(proxy.url);
    proxy.to(Number(new URL(url ?? "").port));
    const file = JSON.parse(await readFile(join(dir, ".muster/mesh.json"), "utf8")) as object;
    expect(file).toMatchObject({ url, public_url: proxy.url });
    const created = await muster(["join-key", "create", "--dir", ".muster"], options());
    const [, link = ""] = /MUSTER_LINK='([^']+)'/.exec(created.stdout) ?? [];
    expect(link).toMatch(new RegExp(`^muster://${new URL(proxy.url).host}/#`));
    const peer = start(["join", "--exec", "cat", "--json"], options({ MUSTER_LINK: link }));
    await peer.waitForOutput(/"type":"ready"/);
    const done = await muster(["assign", "echo", "1", "--wait"], options());
    expect(done).toMatchObject({ code: 0, stdout: "1\n" });
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(0);
    await stop(mesh);
    proxy.server.close();
    await mark.expectNoneLeft();
  });

  test("CL66 every command with the folder, and the mesh itself, say the public URL", async () => {
    const mesh = await serve("--public-url", "https://mesh.example:8443/muster");
    const shown = await muster(["mesh", "--json"], options());
    expect(JSON.parse(shown.stdout)).toMatchObject({
      public_url: "https://mesh.example:8443/muster",
    });
    const created = await muster(["join-key", "create", "--json"], options());
    const { link } = JSON.parse(created.stdout) as { link: string };
    expect(link).toMatch(/^muster:\/\/mesh\.example:8443\/muster\/#/);
    const people = await muster(["join-key", "create"], options());
    expect(people.stdout).toContain("MUSTER_LINK='muster://mesh.example:8443/muster/#");
    expect(people.stdout).not.toContain("127.0.0.1");
    const { url = "" } = startedLine(mesh);
    const token = /^ADMIN_TOKEN=(\S+)$/m.exec(
      await readFile(join(dir, ".muster/secrets.env"), "utf8"),
    )?.[1];
    // The mesh says so, too, to whoever reaches it by another URL.
    const elsewhere = { cwd: tmpdir(), env: { ...mark.env, MUSTER_TOKEN: token ?? "" } };
    const hook = await muster(
      ["webhook", "create", "ci", "--scheme", "github", "--kind", "build", "--url", url],
      elsewhere,
    );
    expect(hook.stdout).toContain("https://mesh.example:8443/muster/v1/webhooks/ci");
    await stop(mesh);
    // A start without the setting forgets it.
    const again = await serve();
    const plain = await muster(["join-key", "create"], options());
    expect(plain.stdout).toContain("MUSTER_LINK='muster://127.0.0.1:");
    await stop(again);
  });

  test("CL66 http on another machine is no link: the command has URL, key and join key", async () => {
    const mesh = await serve("--public-url", "http://192.0.2.5:8787");
    const created = await muster(["join-key", "create"], options());
    expect(created.stdout).toMatch(
      /MUSTER_JOIN_KEY='mjk_[0-9a-f]+' npx muster join http:\/\/192\.0\.2\.5:8787\/ --mesh-key [0-9a-f]{64}/,
    );
    await stop(mesh);
  });

  test("CL66 muster start is an allowlist then, and says the public URL", async () => {
    const mesh = start(["start", "--port", "0", "--public-url", "https://mesh.example"], options());
    await mesh.waitForOutput(/Ctrl-C stops it/);
    expect(mesh.stdout).toMatch(/public URL +https:\/\/mesh\.example\n/);
    expect(mesh.stdout).toMatch(/auth mode +allowlist/);
    await stop(mesh);
    const open = start(
      ["start", "--port", "0", "--public-url", "https://mesh.example", "--open"],
      options(),
    );
    await open.waitForOutput(/Ctrl-C stops it/);
    expect(open.stdout).toContain("ANYONE who reaches this address");
    expect(open.stdout).toContain("join https://mesh.example --mesh-key");
    await stop(open);
  });
});
