import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { upstashStore } from "../../durable/upstash-store.ts";
import { discoveryStoreContract } from "../contracts/discovery-store.suite.ts";
import { redisCommand, redisSkipReason, startRedis, type RedisUnderTest } from "../redis.ts";

describe.skipIf(redisSkipReason !== "")(`the discovery store on Redis${redisSkipReason}`, () => {
  let redis: RedisUnderTest;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => (redis as RedisUnderTest | undefined)?.stop());

  test.each(discoveryStoreContract.map((each) => [each.name, each] as const))(
    "%s",
    (_, { run }) => {
      const prefix = randomUUID();
      const expiryOf = async (key: string) => {
        const at = Number(await redisCommand(redis, "PEXPIRETIME", key));
        return at < 0 ? null : at;
      };
      const key = (name: string) => `${prefix}:${name}`;
      return run({
        store: upstashStore(redis),
        key,
        now: () => Date.now(),
        expiryOf,
        lifetimeMin: 0,
      });
    },
  );

  test("DS29 a store that is unreachable or refuses the token reports an error, and not an absent value", async () => {
    const refused = upstashStore({ ...redis, token: "another" });
    await expect(refused.get("a")).rejects.toThrow();
    const unreachable = upstashStore({ url: "http://127.0.0.1:9", token: "x" });
    await expect(unreachable.get("a")).rejects.toThrow();
    await expect(unreachable.put("a", new Uint8Array(1), Date.now() + 1_000)).rejects.toThrow();
  });
});
