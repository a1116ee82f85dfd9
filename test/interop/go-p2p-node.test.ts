import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controller, type MeshClient, type PeerView } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "../e2e/mesh.ts";
import { describeVectors } from "../shared.ts";
import { GoP2pNode, type Form } from "./go-p2p-node/node.ts";
import {
  idOf,
  opened,
  publicKeyOf,
  responseTo,
  sealed,
  secretOf,
  subkey,
} from "./go-p2p-node/wire.ts";

const FORMS: readonly (readonly [string, Form])[] = [
  ["generation 1", { generation: 1, late: false }],
  ["early generation 2", { generation: 2, late: false }],
  ["late generation 2", { generation: 2, late: true }],
];
const PATIENCE = { timeout: 60_000 };
/** As long as both generations are idle in the last test. */
const IDLE_MS = 185_000;

let started: TestMesh;
let operator: MeshClient;
const nodes: GoP2pNode[] = [];

beforeAll(async () => {
  started = await testMesh({ ALLOW_LOOPBACK: "true" });
  operator = controller({ url: started.mesh.url, token: started.mesh.adminToken });
});
afterAll(async () => {
  for (const node of nodes) node.stop();
  await (started as TestMesh | undefined)?.stop();
});

function newNode(form: Form, name: string): GoP2pNode {
  const node = new GoP2pNode(form, name);
  nodes.push(node);
  return node;
}

const pathOfMesh = () => `${started.mesh.url.replace("http", "ws")}/ws`;

async function viewOf(node: GoP2pNode): Promise<PeerView | undefined> {
  const peers = await operator.peers.list().toArray();
  return peers.find(({ id }) => id === node.id);
}

const becomesActive = (node: GoP2pNode) =>
  expect.poll(async () => (await viewOf(node))?.state, PATIENCE).toBe("active");

/** A node that has dialed the mesh, or that the mesh has dialed. */
async function joined(form: Form, name: string, way: "dials" | "listens"): Promise<GoP2pNode> {
  const node = newNode(form, name);
  if (way === "dials") await node.dial(pathOfMesh());
  else await operator.dials.put(await node.listen(), { publicKey: node.publicKey.toString("hex") });
  await becomesActive(node);
  return node;
}

/** Runs the tasks of a plain node, and checks what it got and what the API shows of it. */
async function works(node: GoP2pNode): Promise<void> {
  const to = { peerId: node.id, timeoutMs: 60_000 };
  const stats = await operator.run("go-p2p/get_stats", null, to);
  expect(stats).toMatchObject({ nodeId: node.id, uptime: 7 });
  const config = { threads: 2, pool: "pool.example:3333", list: [1, null] };
  await operator.run("go-p2p/start_miner", { minerType: "xmrig", config }, to);
  expect(
    await operator.peers.request(node.id, "start_miner", { minerType: "xmrig", config }),
  ).toMatchObject({
    type: "miner_ack",
  });
  expect(node.configs).toEqual([config, config]);
  expect(await viewOf(node)).toMatchObject({
    protocol: "go-p2p/1.0",
    go_p2p_generation: node.form.generation,
    connected: true,
  });
}

describe("a go-p2p node that knows nothing of Muster", () => {
  test.each(FORMS)("GP1 GP10 GP12 of %s dials, joins and runs tasks", async (_, form) => {
    const node = await joined(form, "worker-1.example.org", "dials");
    await works(node);
    expect((await viewOf(node))?.name).toBe("worker-1.example.org");
    node.send("disconnect", { reason: "done", code: 1000 });
    await expect.poll(async () => (await viewOf(node))?.state, PATIENCE).toBe("stale");
    expect(node.connections).toBe(1);
  });

  test.each(FORMS)("GP2 GP10 GP12 of %s listens, is dialed and runs tasks", async (_, form) => {
    const node = await joined(form, "a listening node", "listens");
    await works(node);
    expect(node.connections).toBe(1);
    node.stop();
  });

  test("GP9 joins whatever its name is", async () => {
    const names = ["", "-", "  ", "x".repeat(300), "\u001b[31mred\u0007", "zwölf.example"];
    const shown = [
      "",
      "-",
      "  ",
      `${"x".repeat(63)}…`,
      String.raw`\u001b[31mred\u0007`,
      "zwölf.example",
    ];
    for (const [at, name] of names.entries()) {
      const node = await joined({ generation: 2, late: at % 2 === 0 }, name, "dials");
      expect((await viewOf(node))?.name).toBe(shown[at]);
      node.stop();
    }
  });

  test("GP7 GP15 publishes content events and keeps its session", async () => {
    const node = await joined({ generation: 2, late: true }, "publisher", "dials");
    for (let count = 0; count < 300; count++)
      node.send("content_event", { topic: "news", payload: "aGVsbG8=" });
    await works(node);
    expect(node.ends).toEqual([]);
    node.stop();
  });
});

test(
  "GP6 nodes of both generations that are idle for three minutes keep their sessions, dialing and dialed",
  async () => {
    const idle: GoP2pNode[] = [];
    for (const [name, form] of FORMS)
      for (const way of ["dials", "listens"] as const) idle.push(await joined(form, name, way));
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    expect(idle.map(({ ends }) => ends)).toEqual(idle.map(() => []));
    expect(idle.map(({ connections }) => connections)).toEqual(idle.map(() => 1));
    for (const node of idle) {
      const view = await viewOf(node);
      expect(view).toMatchObject({ state: "active", connected: true });
      const pings = node.heard.filter(({ type }) => type === "ping").length;
      // The one that proves the key, and one each 20 or 30 s.
      expect(pings).toBeGreaterThanOrEqual(node.form.generation === 1 ? 6 : 9);
    }
  },
  IDLE_MS + 180_000,
);

interface Vectors {
  readonly keys: Readonly<
    Record<"alice" | "bob", Readonly<Record<"id" | "private" | "public", string>>>
  >;
  readonly shared: { readonly secret: string };
  readonly generation1: Generated;
  readonly generation2: Generated & { readonly subkeys: Readonly<Record<string, string>> };
}
interface Generated {
  readonly challenge: { readonly challenge: string; readonly response: string };
  readonly frames: readonly {
    readonly plain: string;
    readonly sealed: string;
    readonly nonce?: string;
  }[];
}

describeVectors<Vectors>("the node of these tests agrees with go-p2p", "go-p2p.json", (vectors) => {
  const bytes = (hex: string) => Buffer.from(hex, "hex");
  const secret = bytes(vectors.shared.secret);

  test("in keys, identities and answers", () => {
    const { alice, bob } = vectors.keys;
    for (const [own, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(publicKeyOf(bytes(own.private)).toString("hex")).toBe(own.public);
      expect(idOf(bytes(own.public))).toBe(own.id);
      expect(secretOf(bytes(own.private), bytes(other.public))).toEqual(secret);
    }
    for (const [info, key] of Object.entries(vectors.generation2.subkeys))
      expect(subkey(secret, info).toString("hex")).toBe(key);
    for (const generation of [1, 2] as const) {
      const { challenge, response } = vectors[`generation${generation}`].challenge;
      expect(responseTo(bytes(challenge), secret, generation).toString("hex")).toBe(response);
    }
  });

  test("in frames", () => {
    for (const generation of [1, 2] as const)
      for (const { plain, sealed: frame, nonce } of vectors[`generation${generation}`].frames) {
        expect(opened(bytes(frame), secret, generation)).toBe(plain);
        expect(opened(sealed(plain, secret, generation), secret, generation)).toBe(plain);
        if (nonce !== undefined)
          expect(sealed(plain, secret, 2, bytes(nonce)).toString("hex")).toBe(frame);
      }
  });
});
