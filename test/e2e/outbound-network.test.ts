import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROJECT } from "./processes.ts";
import { Receiver } from "./receiver.ts";

const WORKERD = join(PROJECT, "node_modules/.bin/workerd");

/** A Worker that fetches the URL in its query and answers with the status, or with "refused". */
const WORKER = `export default { fetch: (request) =>
  fetch(new URL(request.url).searchParams.get("url")).then(
    ({ status }) => new Response(String(status)),
    () => new Response("refused"),
  ) };`;

const configuration = (allow: string): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-10-01", globalOutbound = "net")),
    (name = "net", network = (allow = ["${allow}"])) ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);`;

let dir: string;
let receiver: Receiver;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-network-"));
  await writeFile(join(dir, "worker.js"), WORKER);
  receiver = await Receiver.start((_got, _nth, response) => response.writeHead(204).end());
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  receiver.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The result of a request to the receiver by host name, from a workerd whose outbound network allows `allow`. */
async function outcomeWith(allow: string): Promise<string> {
  await writeFile(join(dir, `${allow}.capnp`), configuration(allow));
  const child = spawn(WORKERD, ["serve", `${allow}.capnp`, "--control-fd=3"], {
    cwd: dir,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  children.push(child);
  const [message] = (await once(child.stdio[3] as Readable, "data")) as [Buffer];
  const { port } = JSON.parse(message.toString("utf8").split("\n")[0] ?? "") as { port: number };
  const url = receiver.url.replace("127.0.0.1", "localhost");
  const answer = await fetch(`http://127.0.0.1:${port}/?url=${encodeURIComponent(url)}`);
  return answer.text();
}

test("CB1 workerd with only the public network does not connect to a host name that resolves to this machine", async () => {
  expect(await outcomeWith("private")).toBe("204");
  expect(await outcomeWith("public")).toBe("refused");
});
