import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connectPeer,
  controller,
  Discovery,
  generateIdentity,
  type Controller,
  type Discovered,
  type Peer,
  type PeerOptions,
} from "../../src/client/index.ts";
import { pointerIdOf, readerToken } from "../../src/discovery/epoch.ts";
import { PointerView } from "../../src/protocol/http.ts";
import { hexBytes, present } from "../must.ts";
import { noRedis, startRedis, type RedisUnderTest } from "../redis.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually } from "./processes.ts";
import { missing, RUNTIMES, startReplica, type RunningReplica, type Runtime } from "./replicas.ts";

describe.skipIf(noRedis !== "")(`a mesh that copies its discovery to Redis${noRedis}`, () => {
  let redis: RedisUnderTest;
  let under: TestMesh;
  let mesh: Controller;
  const peers: Peer[] = [];
  const replicas = new Map<Runtime, RunningReplica>();

  beforeAll(async () => {
    redis = await startRedis();
    const { url, token } = redis;
    under = await testMesh({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token });
    mesh = controller({ url: under.mesh.url, token: under.mesh.adminToken });
    const about = await (await fetch(`${under.mesh.url}/v1/mesh`)).json();
    const { signing_key: key } = about as { signing_key: string };
    await Promise.all(
      RUNTIMES.filter((runtime) => missing(runtime) === "").map(async (runtime) =>
        replicas.set(runtime, await startReplica(runtime, redis, key)),
      ),
    );
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    await Promise.all([...replicas.values()].map((replica) => replica.stop()));
    await (under as TestMesh | undefined)?.stop();
    await (redis as RedisUnderTest | undefined)?.stop();
  });

  async function join(options: Partial<PeerOptions>): Promise<Peer> {
    const { url, meshKey } = under.mesh;
    const peer = connectPeer({ url, meshKey, handlers: {}, ...options });
    peers.push(peer);
    await peer.ready;
    return peer;
  }

  /** A peer that finds others, for its key is on the allowlist. */
  async function joinAsMember(): Promise<Peer> {
    const { privateKey, publicKey } = generateIdentity();
    await mesh.allow(Buffer.from(publicKey).toString("hex"));
    return join({ privateKey });
  }

  const secretOf = (member: Peer): Uint8Array =>
    hexBytes(present(present(member.discoveryKeys).epochs[0]).pointer_secret);
  const read = (replica: RunningReplica, path: string, member: Peer): Promise<Response> =>
    fetch(replica.url + path, {
      headers: { authorization: `Bearer ${readerToken(secretOf(member))}` },
    });

  test.concurrent.each(RUNTIMES.map((runtime) => [runtime, missing(runtime)] as const))(
    "DS27 a replica on %s lets a member find and open a peer, and follow it%s",
    async (runtime, skipped) => {
      if (skipped !== "") return;
      const replica = present(replicas.get(runtime));
      const member = await joinAsMember();
      const worker = await join({ name: runtime, capabilities: [runtime] });
      // The epoch opened a moment ago, and the replica has to hear of it.
      await eventually(
        async () => (await read(replica, "/v1/pointers", member)).status === 200,
        () => `its token is not taken: ${replica.output()}`,
      );
      const discovery = new Discovery({
        url: replica.url,
        keys: () => present(member.discoveryKeys),
      });
      const seen: Discovered[] = [];
      const ending = new AbortController();
      const following = (async () => {
        const how = { follow: true, intervalMs: 100, signal: ending.signal };
        for await (const each of discovery.discover({ capability: runtime, ...how }))
          seen.push(each);
      })();
      const told = (count: number) =>
        eventually(
          () => seen.length === count,
          () => JSON.stringify(seen) + replica.output(),
        );
      await told(1);
      expect(seen[0]).toMatchObject({ type: "found", peer: { id: worker.id, name: runtime } });

      const path = `/v1/pointers/${pointerIdOf(secretOf(member), worker.id)}`;
      const pointer = PointerView.parse(await (await read(replica, path, member)).json());
      const key = present(present(member.discoveryKeys).epochs[0]).private_key;
      expect((await discovery.resolve(pointer, key)).id).toBe(worker.id);
      expect((await discovery.find(worker.id))?.name).toBe(runtime);
      await expect(discovery.resolve({ ...pointer, seq: pointer.seq + 1 })).rejects.toMatchObject({
        code: "statement_forged",
      });

      await worker.close();
      await told(2);
      expect(seen[1]).toEqual({ type: "gone", id: worker.id });
      ending.abort();
      await following;
      for (const place of [path, "/v1/pointers"]) {
        const answer = await fetch(replica.url + place);
        expect([answer.status, answer.headers.get("cache-control")]).toEqual([
          place === path ? 404 : 401,
          "no-store",
        ]);
      }
    },
  );

  test("DS30 works on while Redis is down, and copies all once it is back, though it lost everything", async () => {
    const early = await join({ name: "early" });
    await redis.halt();
    const late = await join({ name: "late" });
    const { url } = under.mesh;
    const keys = () => mesh.discoveryKeys();
    await eventually(
      async () => (await new Discovery({ url, keys }).find(late.id)) !== null,
      () => "not found at the mesh",
    );
    await redis.resume();
    for (const { url: replica } of replicas.values())
      for (const { id } of [early, late])
        await eventually(
          async () => {
            const found = new Discovery({ url: replica, keys }).find(id);
            return (await found.catch(() => null)) !== null;
          },
          () => `not found at ${replica}`,
        );
  });

  test("DS8 a revoked member reads nothing more at any replica", async () => {
    const member = await joinAsMember();
    const secret = present(member.discoveryKeys);
    const token = readerToken(hexBytes(present(secret.epochs[0]).pointer_secret));
    const ask = ({ url }: RunningReplica) =>
      fetch(`${url}/v1/pointers`, { headers: { authorization: `Bearer ${token}` } });
    for (const replica of replicas.values()) expect((await ask(replica)).status).toBe(200);
    await mesh.revoke(member.id);
    for (const replica of replicas.values())
      await eventually(
        async () => (await ask(replica)).status === 401,
        () => "still taken",
      );
  });
});
