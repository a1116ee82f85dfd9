import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testMesh, type TestMesh } from "./mesh.ts";
import { PROJECT } from "./processes.ts";

const forgedBy = (n: number) => ({
  "CF-Connecting-IP": `203.0.113.${n}`,
  "X-Forwarded-For": `198.51.100.1, 203.0.113.${n}`,
  "X-Real-IP": `203.0.113.${n}`,
  "MF-CF-Blob": `{"clientIp":"203.0.113.${n}:1"}`,
  "X-Muster-Address": `203.0.113.${n}`,
});

describe("a mesh of muster start", () => {
  const BUDGETS = { FAILED_AUTHORIZATIONS_PER_MINUTE: "5", HANDSHAKES_PER_MINUTE: "5" };
  let direct: TestMesh;
  let proxied: TestMesh;
  beforeAll(async () => {
    direct = await testMesh(BUDGETS);
    proxied = await testMesh({ ...BUDGETS, TRUSTED_PROXIES: "127.0.0.1" });
  });
  afterAll(async () => {
    await direct?.stop();
    await proxied?.stop();
  });

  const statuses = async ({ mesh }: TestMesh, path: string, headersOf: typeof forgedBy) => {
    const got: number[] = [];
    for (let n = 0; n < 10; n++) {
      const response = await fetch(`${mesh.url}${path}`, { headers: headersOf(n) });
      await response.body?.cancel();
      got.push(response.status);
    }
    return got;
  };

  test("RL35 takes the address of a client from its socket, whatever the client claims", async () => {
    expect(await statuses(direct, "/v1/tasks", forgedBy)).toEqual([
      401, 401, 401, 401, 401, 429, 429, 429, 429, 429,
    ]);
    expect(await statuses(direct, "/ws", forgedBy)).toEqual([
      426, 426, 426, 426, 426, 429, 429, 429, 429, 429,
    ]);
  });

  test("RL30 takes it from a proxy that the operator trusts", async () => {
    const all = Array.from({ length: 10 }, () => 401);
    expect(await statuses(proxied, "/v1/tasks", forgedBy)).toEqual(all);
    // The client behind the proxy adds entries to the left only.
    const oneClient = (n: number) => ({
      ...forgedBy(n),
      "X-Forwarded-For": `203.0.113.${n}, 192.0.2.1`,
    });
    expect((await statuses(proxied, "/v1/tasks", oneClient)).slice(5)).toEqual([
      429, 429, 429, 429, 429,
    ]);
  });

  test("WH30 answers a delivery to an unknown source although its body never ends", async () => {
    const sent = request(`${direct.mesh.url}/v1/webhooks/nobody`, { method: "POST" });
    sent.on("error", () => {}); // the mesh closes the connection
    let bytes = 0;
    const sending = setInterval(() => {
      bytes += 1_024;
      sent.write(Buffer.alloc(1_024));
    }, 10);
    try {
      const [answer] = await once(sent, "response");
      expect(answer.statusCode).toBe(404);
      expect(JSON.parse(await text(answer))).toMatchObject({ code: "not_found" });
      expect(bytes).toBeLessThan(1_024 * 1_024);
    } finally {
      clearInterval(sending);
      sent.destroy();
    }
  });
});

describe("a Worker on workerd without Cloudflare", () => {
  const WORKER = `import { addressOf } from ${JSON.stringify(join(PROJECT, "workers/request-address.ts"))};
    import { readTrustedProxies } from ${JSON.stringify(join(PROJECT, "src/access/client-address.ts"))};
    export default { fetch: (request, env) => new Response(addressOf(request, readTrustedProxies(env.PROXIES).value)) };`;
  const configuration = (
    proxies: string,
  ): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "worker.js", esModule = embed "worker.js")],
    bindings = [(name = "PROXIES", text = "${proxies}")], compatibilityDate = "2026-10-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);`;

  let dir: string;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "muster-address-"));
    await writeFile(join(dir, "entry.js"), WORKER);
    const [entryPoints, outfile] = [[join(dir, "entry.js")], join(dir, "worker.js")];
    await build({ entryPoints, outfile, bundle: true, format: "esm", logLevel: "silent" });
  });
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  });

  async function addressWith(proxies: string): Promise<string> {
    const name = `${children.length}.capnp`;
    await writeFile(join(dir, name), configuration(proxies));
    const workerd = join(PROJECT, "node_modules/.bin/workerd");
    const child = spawn(workerd, ["serve", name, "--control-fd=3"], {
      cwd: dir,
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    children.push(child);
    const [message] = (await once(child.stdio[3] as Readable, "data")) as [Buffer];
    const { port } = JSON.parse(message.toString("utf8").split("\n")[0] ?? "") as { port: number };
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: forgedBy(7) });
    return answer.text();
  }

  test("RL30 has the address of the socket, or what a trusted proxy says", async () => {
    expect(await addressWith("")).toBe("127.0.0.1");
    expect(await addressWith("::1, 10.0.0.0/8")).toBe("127.0.0.1");
    expect(await addressWith("127.0.0.0/8")).toBe("203.0.113.7");
  });
});
