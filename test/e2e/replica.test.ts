import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connectPeer,
  controller,
  DiscoveryReader,
  generateIdentity,
  type MeshClient,
  type Discovered,
  type Peer,
  type PeerOptions,
} from "../../src/client/index.ts";
import { pointerIdOf, readerToken } from "../../src/discovery/epoch-secrets.ts";
import { PointerView } from "../../src/protocol/http.ts";
import { hexBytes, present } from "../must.ts";
import { redisSkipReason, startRedis, type RedisUnderTest } from "../redis.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually } from "./processes.ts";
import {
  skipReason,
  RUNTIMES,
  startReplica,
  type RunningReplica,
  type Runtime,
} from "./replicas.ts";

describe.skipIf(redisSkipReason !== "")(
  `a mesh that copies its discovery records to Redis${redisSkipReason}`,
  () => {
    let redis: RedisUnderTest;
    let under: TestMesh;
    let mesh: MeshClient;
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
        RUNTIMES.filter((runtime) => skipReason(runtime) === "").map(async (runtime) =>
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

    /** Joins a peer whose key is on the allowlist, so that it may discover others. */
    async function joinAsMember(): Promise<Peer> {
      const { privateKey, publicKey } = generateIdentity();
      await mesh.allowlist.put(Buffer.from(publicKey).toString("hex"));
      return join({ privateKey });
    }

    const secretOf = (member: Peer): Uint8Array =>
      hexBytes(present(present(member.discoveryKeys).epochs[0]).pointer_secret);
    const read = (replica: RunningReplica, path: string, member: Peer): Promise<Response> =>
      fetch(replica.url + path, {
        headers: { authorization: `Bearer ${readerToken(secretOf(member))}` },
      });

    test.concurrent.each(RUNTIMES.map((runtime) => [runtime, skipReason(runtime)] as const))(
      "DS27 a member discovers a peer through a replica on %s, opens its record, and follows it%s",
      async (runtime, skipped) => {
        if (skipped !== "") return;
        const replica = present(replicas.get(runtime));
        const member = await joinAsMember();
        const worker = await join({ name: runtime, capabilities: [runtime] });
        // The epoch has just opened; the replica must read it first.
        await eventually(
          async () => (await read(replica, "/v1/pointers", member)).status === 200,
          () => `the replica to accept the token: ${replica.output()}`,
        );
        const discovery = new DiscoveryReader({
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
        const waitForChanges = (count: number) =>
          eventually(
            () => seen.length === count,
            () => JSON.stringify(seen) + replica.output(),
          );
        await waitForChanges(1);
        expect(seen[0]).toMatchObject({ type: "found", peer: { id: worker.id, name: runtime } });

        const path = `/v1/pointers/${pointerIdOf(secretOf(member), worker.id)}`;
        const pointer = PointerView.parse(await (await read(replica, path, member)).json());
        const key = present(present(member.discoveryKeys).epochs[0]).private_key;
        expect((await discovery.resolve(pointer, key)).id).toBe(worker.id);
        expect((await discovery.find(worker.id))?.name).toBe(runtime);
        await expect(discovery.resolve({ ...pointer, seq: pointer.seq + 1 })).rejects.toMatchObject(
          {
            code: "statement_forged",
          },
        );

        await worker.close();
        await waitForChanges(2);
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

    test("DS30 the mesh works while Redis is down, and copies everything again after Redis lost its data", async () => {
      const early = await join({ name: "early" });
      await redis.halt();
      const late = await join({ name: "late" });
      const { url } = under.mesh;
      const keys = () => mesh.discovery.keys();
      await eventually(
        async () => (await new DiscoveryReader({ url, keys }).find(late.id)) !== null,
        () => "the mesh to find the peer",
      );
      await redis.resume();
      for (const { url: replica } of replicas.values())
        for (const { id } of [early, late])
          await eventually(
            async () => {
              const found = new DiscoveryReader({ url: replica, keys }).find(id);
              return (await found.catch(() => null)) !== null;
            },
            () => `${replica} to find the peer`,
          );
    });

    test("DS8 a revoked member cannot read from any replica", async () => {
      const member = await joinAsMember();
      const secret = present(member.discoveryKeys);
      const token = readerToken(hexBytes(present(secret.epochs[0]).pointer_secret));
      const ask = ({ url }: RunningReplica) =>
        fetch(`${url}/v1/pointers`, { headers: { authorization: `Bearer ${token}` } });
      for (const replica of replicas.values()) expect((await ask(replica)).status).toBe(200);
      await mesh.peers.revoke(member.id);
      for (const replica of replicas.values())
        await eventually(
          async () => (await ask(replica)).status === 401,
          () => "the replica to refuse the token",
        );
    });
  },
);
