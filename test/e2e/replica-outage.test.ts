import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connectPeer,
  controller,
  DiscoveryReader,
  type DiscoveryKeys,
  type MeshClient,
  type Peer,
} from "../../src/client/index.ts";
import { redisCommand, redisSkipReason, startRedis, type RedisUnderTest } from "../redis.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually } from "./processes.ts";
import { startReplica, type RunningReplica } from "./replicas.ts";

describe.skipIf(redisSkipReason !== "")(
  `replicas whose Redis is killed, hung and flushed${redisSkipReason}`,
  () => {
    let redis: RedisUnderTest;
    let under: TestMesh;
    let mesh: MeshClient;
    let keys: DiscoveryKeys;
    const replicas: RunningReplica[] = [];
    const peers: Peer[] = [];
    let verifyingKey = "";

    beforeAll(async () => {
      redis = await startRedis();
      const { url, token } = redis;
      under = await testMesh({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token });
      mesh = controller({ url: under.mesh.url, token: under.mesh.adminToken });
      const about = await (await fetch(`${under.mesh.url}/v1/mesh`)).json();
      verifyingKey = (about as { signing_key: string }).signing_key;
      await join("first");
      for (let count = 0; count < 2; count++)
        replicas.push(await startReplica("Node", redis, verifyingKey));
      keys = await mesh.discovery.keys();
      await showEverywhere("first");
      for (const replica of replicas) await health(replica, { status: "ok", records: true });
    });
    afterAll(async () => {
      await Promise.all(peers.map((peer) => peer.close()));
      await Promise.all(replicas.map((replica) => replica.stop()));
      await (under as TestMesh | undefined)?.stop();
      await (redis as RedisUnderTest | undefined)?.stop();
    });

    async function join(name: string): Promise<Peer> {
      const { url, meshKey } = under.mesh;
      const peer = connectPeer({ url, meshKey, handlers: {}, name });
      peers.push(peer);
      await peer.ready;
      return peer;
    }

    /** What a new client, which has seen nothing before, reads at these URLs only. */
    async function read(...url: string[]) {
      const { peers: found, degraded } = await new DiscoveryReader({ url, keys }).peers();
      return { names: found.map(({ name }) => name).toSorted(), degraded };
    }

    const showEverywhere = async (...names: string[]): Promise<void> => {
      for (const { url, output } of replicas)
        await eventually(
          async () => {
            const { names: seen, degraded } = await read(url).catch(() => ({
              names: [],
              degraded: "failed",
            }));
            return degraded === null && names.toSorted().join() === seen.join();
          },
          () => `${url} to list ${names.join()}: ${output()}`,
        );
    };

    const health = (
      { url, output }: RunningReplica,
      wanted: { status: string; records: boolean },
    ) =>
      eventually(
        async () => {
          const answer = await fetch(`${url}/healthz`);
          const told = (await answer.json()) as Record<string, unknown>;
          return told["status"] === wanted.status && told["all_records_kept"] === wanted.records;
        },
        () => `${url} to be ${wanted.status}: ${output()}`,
      );

    /** Clients read what was there at the replicas alone, each of them; and the mesh tells what is new. */
    async function clientsLearn(kept: string[], now: string[]): Promise<void> {
      for (const replica of replicas) {
        await health(replica, { status: "stale", records: true });
        expect(await read(replica.url)).toEqual({ names: kept.toSorted(), degraded: null });
      }
      const urls = replicas.map(({ url }) => url);
      expect(await read(...urls)).toEqual({ names: kept.toSorted(), degraded: null });
      await eventually(
        async () => (await read(...urls, under.mesh.url)).names.join() === now.toSorted().join(),
        () => `the mesh to list ${now.join()}`,
      );
    }

    test("DS67 after Redis is killed, replicas alone serve what they had, the mesh what is new, and all come back", async () => {
      await redis.halt();
      await join("second");
      await clientsLearn(["first"], ["first", "second"]);
      const fresh = await startReplica("Node", redis, verifyingKey);
      expect((await fetch(`${fresh.url}/healthz`)).status).toBe(503);
      await expect(read(fresh.url)).rejects.toMatchObject({ code: "unavailable" });
      await fresh.stop();
      await redis.resume();
      await showEverywhere("first", "second");
      for (const replica of replicas) await health(replica, { status: "ok", records: true });
    });

    test("DS68 while Redis hangs, replicas alone serve what they had, the mesh what is new, and all come back", async () => {
      redis.suspend();
      try {
        await join("third");
        await clientsLearn(["first", "second"], ["first", "second", "third"]);
      } finally {
        redis.wake();
      }
      await showEverywhere("first", "second", "third");
      for (const replica of replicas) await health(replica, { status: "ok", records: true });
    });

    test("DS70 after Redis is flushed, replicas serve what they had, and the mesh fills the store without any change", async () => {
      await redisCommand(redis, "FLUSHALL");
      expect(await redisCommand(redis, "DBSIZE")).toBe(0);
      for (const { url } of replicas)
        expect(await read(url)).toEqual({ names: ["first", "second", "third"], degraded: null });
      await eventually(
        async () => Number(await redisCommand(redis, "DBSIZE")) >= 5,
        () => "the mesh to fill the store again",
      );
      for (const replica of replicas) await health(replica, { status: "ok", records: true });
      const fresh = await startReplica("Node", redis, verifyingKey);
      expect(await read(fresh.url)).toEqual({
        names: ["first", "second", "third"],
        degraded: null,
      });
      await fresh.stop();
    });
  },
);
