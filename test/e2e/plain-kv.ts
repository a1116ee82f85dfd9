import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { bundleWorkers } from "../../server/bundle.ts";
import type { KvUnderTest } from "../contracts/kv.suite.ts";
import { PROJECT } from "./processes.ts";

/** A Worker that does to its KV binding what a request says. */
const DRIVER = `export default { async fetch(request, { BLOBS }) {
  const { method, key, options } = JSON.parse(request.headers.get("kv"));
  const bytes = await request.arrayBuffer();
  try {
    if (method === "put") return Response.json(await BLOBS.put(key, bytes, options) ?? null);
    if (method === "delete") return Response.json(await BLOBS.delete(key) ?? null);
    if (method === "list") return Response.json(await BLOBS.list(options));
    const { value, metadata } = await BLOBS.getWithMetadata(key, "arrayBuffer");
    return new Response(value, { status: value === null ? 404 : 200, headers: { metadata: encodeURIComponent(JSON.stringify(metadata)) } });
  } catch (error) {
    return new Response(error.message, { status: 500 });
  }
} };`;

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "driver", worker = (modules = [(name = "driver.js", esModule = embed "driver.js")],
      bindings = [(name = "BLOBS", kvNamespace = "kv")], compatibilityDate = "2026-10-01")),
    (name = "kv", worker = (modules = [(name = "kv.js", esModule = embed "kv.js")],
      durableObjectNamespaces = [(className = "KvStore", uniqueKey = "kv", enableSql = true)],
      durableObjectStorage = (localDisk = "disk"),
      bindings = [(name = "STORE", durableObjectNamespace = "KvStore")], compatibilityDate = "2026-10-01")),
    (name = "disk", disk = (path = "data", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "driver")]);`;

/** Muster's KV store on plain workerd, through workerd's KV binding. */
export class PlainKv implements KvUnderTest {
  readonly #dir: string;
  #child: ChildProcess | null = null;
  #url = "";

  constructor(dir: string) {
    this.#dir = dir;
  }

  async build(): Promise<void> {
    await bundleWorkers(this.#dir);
    await writeFile(join(this.#dir, "driver.js"), DRIVER);
    await writeFile(join(this.#dir, "kv.capnp"), CONFIG);
    await mkdir(join(this.#dir, "data"), { recursive: true });
  }

  async start(): Promise<void> {
    const workerd = join(PROJECT, "node_modules/.bin/workerd");
    const options = { cwd: this.#dir, stdio: ["ignore", "ignore", "inherit", "pipe"] as const };
    const child = spawn(workerd, ["serve", "kv.capnp", "--control-fd=3"], {
      ...options,
      stdio: [...options.stdio],
      detached: true,
    });
    this.#child = child;
    const [message] = (await once(child.stdio[3] as Readable, "data")) as [Buffer];
    const { port } = JSON.parse(message.toString("utf8").split("\n")[0] ?? "") as { port: number };
    this.#url = `http://127.0.0.1:${port}/`;
  }

  /** Ends workerd at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await exited;
  }

  async put(key: string, value: Uint8Array<ArrayBuffer>, options = {}): Promise<void> {
    await this.#ask({ method: "put", key, options }, value);
  }

  async delete(key: string): Promise<void> {
    await this.#ask({ method: "delete", key });
  }

  async list(options: object): ReturnType<KvUnderTest["list"]> {
    const answer = await this.#ask({ method: "list", options });
    return (await answer.json()) as Awaited<ReturnType<KvUnderTest["list"]>>;
  }

  async get(key: string): ReturnType<KvUnderTest["get"]> {
    const answer = await this.#ask({ method: "get", key });
    const metadata: unknown = JSON.parse(decodeURIComponent(answer.headers.get("metadata") ?? ""));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { value: answer.status === 404 ? null : bytes, metadata };
  }

  async #ask(question: object, body: Uint8Array<ArrayBuffer> | null = null): Promise<Response> {
    // JSON with escapes: a header has no other characters.
    const header = JSON.stringify(question).replace(
      /[\u007f-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    const answer = await fetch(this.#url, { method: "POST", headers: { kv: header }, body });
    if (answer.status === 500) throw new Error(await answer.text());
    return answer;
  }
}
