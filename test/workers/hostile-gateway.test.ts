import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import {
  connectPeer,
  controller,
  WaitTimeout,
  type MeshClient,
  type Peer,
  type PeerEvent,
  type Task,
} from "../../src/client/index.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { ed25519PublicKey, platformRandom, sha256 } from "../../src/crypto/primitives.ts";
import { uploadTicket } from "../../src/crypto/result-tickets.ts";
import { sign } from "../../src/discovery/signed-statements.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { RESULT_SIGNATURE_HEADER } from "../../src/protocol/result-content.ts";
import { api, TOKEN } from "../durable/api.ts";
import { MESH_KEYS } from "../durable/noise-peer.ts";
import { sdkPlatform } from "../durable/sdk-socket.ts";
import { seededRandom } from "../random.ts";
import { waitFor } from "../wait-for.ts";
import { HostileGateway, withBody, type Attack, type Passing } from "./hostile-gateway.ts";
import { ORIGIN } from "./http.ts";

const MESH_KEY = toHex(MESH_KEYS.publicKey);
const MARK = "the secret of the result ";
const LARGE = MARK.repeat(20_000);
const FORGED = JSON.stringify("a forged result");

const peers: Peer[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  await reset();
});

/** A peer whose clock is wrong by `wrong`, in milliseconds. */
function joinWithClock(gateway: HostileGateway, wrong: number) {
  const events: PeerEvent[] = [];
  const peer = connectPeer({
    url: ORIGIN,
    meshKey: MESH_KEY,
    onEvent: (event) => events.push(event),
    platform: { ...sdkPlatform(gateway.fetch), now: () => Date.now() + wrong },
  });
  peers.push(peer);
  peer.ready.catch(() => {});
  return { peer, events };
}

function join(gateway: HostileGateway, role: "worker" | "controller", privateKey: Uint8Array) {
  const events: PeerEvent[] = [];
  const peer = connectPeer({
    url: ORIGIN,
    meshKey: MESH_KEY,
    privateKey,
    role,
    handlers: { large: () => LARGE, short: () => MARK },
    onEvent: (event) => events.push(event),
    platform: sdkPlatform(gateway.fetch),
  });
  peers.push(peer);
  return { peer, events };
}

/** A worker and a controller of the SDK whose HTTP requests pass a gateway that an attacker controls. */
async function world(attack: Attack = {}) {
  const gateway = new HostileGateway();
  gateway.attack = attack;
  const keys = newKeyPair(platformRandom);
  await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, { roles: ["controller"] });
  const worker = join(gateway, "worker", newKeyPair(platformRandom).privateKey);
  const giver = join(gateway, "controller", keys.privateKey);
  await Promise.all([worker.peer.ready, giver.peer.ready]);
  const http = (pin: object = { meshKey: MESH_KEY }) =>
    controller({ url: ORIGIN, token: TOKEN, fetch: gateway.fetch, ...pin });
  return { gateway, worker, tasks: giver.peer.tasks, http };
}

const isUpload = ({ method }: Passing): boolean => method === "PUT";
const flipped = ({ body }: Passing, at: number) => ({
  body: body.with(at, (body[at] as number) ^ 1),
});
const stored = () => new Response(null, { status: 204 });
const once = { maxAttempts: 1 };

describe("a gateway that ends TLS and is not the mesh", () => {
  it("AS100 AS102 reads nothing of a large result between a worker and a controller over the session", async () => {
    const { gateway, tasks } = await world();
    expect(await tasks.run("large")).toBe(LARGE);
    expect(gateway.read.length).toBeGreaterThanOrEqual(4);
    expect(gateway.hasRead(MARK)).toBe(false);
    expect(gateway.hasRead(btoa(MARK).slice(0, 20))).toBe(false);
  });

  /** Its own bytes, under a ticket that it makes from what it sees. */
  const ownUpload = (seen: Passing): Partial<Passing> => {
    const headers = new Headers(seen.headers);
    const [peerId = ""] = headers.get("authorization")?.slice("Bearer ".length).split(".") ?? [];
    const content = { bytes: FORGED.length, sha256: toBase64(sha256(utf8(FORGED))) };
    const secret = { peerId, secret: seededRandom(3)(32) };
    headers.set("authorization", `Bearer ${uploadTicket(secret, content)}`);
    return { headers, body: utf8(FORGED) };
  };

  it.each([
    ["changes a bit of its first chunk", (seen: Passing) => flipped(seen, 100)],
    ["changes its last bit", (seen: Passing) => flipped(seen, seen.body.length - 1)],
    ["cuts it off", ({ body }: Passing) => ({ body: body.slice(0, -1_000) })],
    ["sends its own bytes", () => ({ body: utf8(FORGED) })],
    ["sends its own bytes under its own ticket", ownUpload],
    ["answers for the mesh, and stores nothing", stored],
  ] as const)("AS100 AS101 commits nothing when it %s of an upload", async (_, change) => {
    const { tasks, worker } = await world({
      request: (seen) => (isUpload(seen) ? change(seen) : null),
    });
    await expect(tasks.run("large", null, once)).rejects.toMatchObject({ code: "failed" });
    expect(worker.events.some(({ type }) => type === "task_succeeded")).toBe(false);
  });

  it("AS101 that forges the first upload only delays the result", async () => {
    let uploads = 0;
    const { tasks } = await world({
      request: (seen) => (isUpload(seen) && uploads++ === 0 ? stored() : null),
    });
    const backoff = { firstSeconds: 0.1 };
    expect(await tasks.run("large", null, { backoff })).toBe(LARGE);
    expect(uploads).toBe(2);
  });

  const download = ({ method, path, status }: Passing): boolean =>
    method === "GET" && path.startsWith("/v1/task-results/") && status === 200;
  it.each([
    ["changes a bit", (seen: Passing) => flipped(seen, 300_000)],
    ["cuts it off", ({ body }: Passing) => ({ body: body.slice(0, -1) })],
    ["sends its own bytes", (seen: Passing) => withBody(seen, FORGED)],
    ["sends nothing", () => ({ body: new Uint8Array() })],
  ] as const)(
    "AS102 deceives no controller over the session when it %s of a download",
    async (_, change) => {
      const { tasks } = await world({ response: (seen) => (download(seen) ? change(seen) : null) });
      await expect(tasks.run("large")).rejects.toMatchObject({ code: "invalid_response" });
    },
  );
});

describe("a controller over HTTP behind a gateway that is not the mesh", () => {
  const isResult = ({ path, status }: Passing): boolean =>
    /^\/v1\/tasks\/[^/]+\/result$/.test(path) && status === 200;
  const changesResult = (change: (seen: Passing) => Partial<Passing>): Attack => ({
    response: (seen) => (isResult(seen) ? change(seen) : null),
  });
  const without = (name: string) => (seen: Passing) => {
    const headers = new Headers(seen.headers);
    headers.delete(name);
    return { headers };
  };
  const OWN_KEY = seededRandom(8)(32);

  it("AS104 with the mesh's key pinned gets long and short results that the mesh has signed", async () => {
    const { http } = await world();
    expect(await http().run("large")).toBe(LARGE);
    expect(await http().run("short")).toBe(MARK);
    const link = `muster://mesh.test/#${MESH_KEY}`;
    const gateway = new HostileGateway();
    const overHttp = (url: string, init: RequestInit) =>
      gateway.fetch(url.replace(/^https/, "http"), init);
    const mesh = controller({ url: link, token: TOKEN, fetch: overHttp });
    expect(await mesh.run("short")).toBe(MARK);
  });

  it.each([
    ["another body with its digest", (seen: Passing) => withBody(seen, FORGED)],
    [
      "another media type",
      (seen: Passing) => {
        const headers = new Headers(seen.headers);
        headers.set("content-type", "application/octet-stream");
        return { headers };
      },
    ],
    [
      "another attempt",
      (seen: Passing) => {
        const headers = new Headers(seen.headers);
        headers.set("muster-result-fence", "2");
        return { headers };
      },
    ],
    ["no digest", without("content-digest")],
    ["no signature", without(RESULT_SIGNATURE_HEADER)],
    [
      "a signature of its own",
      (seen: Passing) => {
        const { headers = new Headers() } = withBody(seen, FORGED);
        const statement = {
          task_id: seen.path.split("/")[3] ?? "",
          fence: 1,
          bytes: FORGED.length,
          sha256: toBase64(sha256(utf8(FORGED))),
          sealed: false,
        };
        headers.set(RESULT_SIGNATURE_HEADER, sign("result", statement, OWN_KEY));
        return { body: utf8(FORGED), headers };
      },
    ],
  ] as const)(
    "AS104 with the mesh's key pinned accepts no result with %s, long or short",
    async (_, change) => {
      const { http } = await world(changesResult(change));
      for (const kind of ["large", "short"])
        await expect(http().run(kind)).rejects.toMatchObject({ code: "invalid_response" });
    },
  );

  it("AS104 with the mesh's key pinned does not take a result from a task's view, or of another task", async () => {
    const results: Passing[] = [];
    const { http } = await world({
      response: (seen) => {
        if (isResult(seen)) return results.push(seen) > 1 ? (results[0] as Passing) : null;
        if (!seen.path.startsWith("/v1/tasks") || seen.status >= 300) return null;
        const task = JSON.parse(new TextDecoder().decode(seen.body)) as TaskView;
        return { body: utf8(JSON.stringify({ ...task, result: "forged" })) };
      },
    });
    expect(await http().run("short")).toBe(MARK);
    await expect(http().run("short")).rejects.toMatchObject({ code: "invalid_response" });
    expect(await http({}).run("short")).toBe("forged");
  });

  /** Every method that returns a task, called for one that has succeeded. */
  const views: Readonly<Record<string, (mesh: MeshClient, id: string) => Promise<Task>>> = {
    get: ({ tasks }, id) => tasks.get(id),
    wait: ({ tasks }, id) => tasks.wait(id, { timeoutMs: 0 }).catch(unfinished),
    follow: async ({ tasks }, id) => {
      for await (const task of tasks.follow(id)) if (task.ended_at !== null) return task;
      throw new Error("the task was followed to no end");
    },
  };
  const unfinished = (error: unknown): Task => {
    if (error instanceof WaitTimeout) return error.task;
    throw error;
  };
  const showing = (change: (task: TaskView) => object) => ({
    response: (seen: Passing) => {
      if (isResult(seen) || !seen.path.startsWith("/v1/tasks/")) return null;
      const task = JSON.parse(new TextDecoder().decode(seen.body)) as TaskView;
      return { body: utf8(JSON.stringify({ ...task, ...change(task) })) };
    },
  });

  it.each(Object.keys(views))(
    "AS104 with the mesh's key pinned tasks.%s returns no result that the mesh has not signed",
    async (method) => {
      const { gateway, http } = await world();
      const view = views[method] as (typeof views)[string];
      const { id } = await http().tasks.submit("short", null, { waitMs: 5_000 });
      await http().tasks.wait(id);
      const shown = () => view(http(), id);
      for (const change of [
        () => ({ result: "forged" }),
        () => ({ result: null }),
        () => ({ result: "Zm9yZ2Vk", result_sealed: true }),
      ]) {
        gateway.attack = showing(change);
        expect(await shown()).toMatchObject({ result: MARK, result_sealed: false });
      }
      gateway.attack = showing(() => ({ result: "forged", result_url: "/v1/x", result_bytes: 9 }));
      expect((await shown()).result).toBeNull();
      if (method === "follow") return; // an unfinished task is followed on
      gateway.attack = showing(() => ({ result: "forged", state: "running" }));
      expect((await shown()).result).toBeNull();
    },
  );

  it.each(["with", "without"])(
    "AS104 %s a pin no answer about another task is accepted",
    async (pin) => {
      const { gateway, http } = await world();
      const mesh = pin === "with" ? http() : http({});
      const { id } = await mesh.tasks.submit("short", null, { waitMs: 5_000 });
      const other = await mesh.tasks.submit("short", null, { waitMs: 5_000 });
      gateway.attack = showing(() => ({ ...other, state: "succeeded" }));
      for (const view of Object.values(views))
        await expect(view(mesh, id)).rejects.toMatchObject({ code: "invalid_response" });
    },
  );

  it.each([
    ["its own signing key", { signing_key: toHex(ed25519PublicKey(OWN_KEY)) }],
    ["another time", { time: "2030-01-01T00:00:00.000Z" }],
    ["another proof", { proof: "00".repeat(32) }],
  ] as const)(
    "AS105 a gateway without the mesh's key can't put %s into the mesh's proof",
    async (_, change) => {
      const { http } = await world({
        response: ({ path, body }) => {
          if (path !== "/v1/mesh/proof") return null;
          const proved = JSON.parse(new TextDecoder().decode(body)) as object;
          return { body: utf8(JSON.stringify({ ...proved, ...change })) };
        },
      });
      await expect(http().run("short")).rejects.toMatchObject({ code: "mesh_unproved" });
    },
  );

  it.each([5, -23])("RC20 a peer whose clock is %i h wrong joins the mesh", async (hours) => {
    const { peer, events } = joinWithClock(new HostileGateway(), hours * 3_600_000);
    await peer.ready;
    expect(events.some(({ type }) => type === "disconnected")).toBe(false);
  });

  it("RC20 a gateway that changes the proved time corrects no clock", async () => {
    const gateway = new HostileGateway();
    gateway.attack = {
      response: ({ path, body }) => {
        if (path !== "/v1/mesh/proof") return null;
        const proved = JSON.parse(new TextDecoder().decode(body)) as object;
        const time = new Date(Date.now() + 3_600_000).toISOString();
        return { body: utf8(JSON.stringify({ ...proved, time })) };
      },
    };
    const { events } = joinWithClock(gateway, 5 * 3_600_000);
    const reason =
      "clock_skew: the server refused this machine's time and proved none of its own (mesh_unproved)";
    const disconnected = () => events.filter(({ type }) => type === "disconnected");
    await waitFor(() => expect(disconnected().length).toBeGreaterThanOrEqual(2));
    for (const event of disconnected()) expect(event).toMatchObject({ reason });
  });

  it("AS105 a proof that was made for another caller does not serve", async () => {
    const proofs: Passing[] = [];
    const { http } = await world({
      response: (seen) => {
        if (seen.path !== "/v1/mesh/proof") return null;
        proofs.push(seen);
        return proofs[0] ?? null;
      },
    });
    expect(await http().run("short")).toBe(MARK);
    await expect(http().run("short")).rejects.toMatchObject({ code: "mesh_unproved" });
  });

  it("AS104 another mesh's key is not proved", async () => {
    const { http } = await world();
    const other = toHex(newKeyPair(platformRandom).publicKey);
    const { tasks } = http({ meshKey: other });
    await expect(tasks.result(crypto.randomUUID())).rejects.toMatchObject({
      code: "mesh_key_unknown",
    });
    const next = http({ meshKey: other, nextMeshKey: MESH_KEY });
    expect(await next.run("short")).toBe(MARK);
  });

  it("AS103 without a pin at least the digest is checked", async () => {
    const { http } = await world(changesResult(({ body }) => ({ body: body.with(5, 0x78) })));
    await expect(http({}).run("large")).rejects.toMatchObject({ code: "invalid_response" });
  });
});
