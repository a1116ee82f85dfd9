import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { upstashStore } from "../../durable/upstash-store.ts";
import { discoveryStoreContract } from "../contracts/discovery-store.suite.ts";
import { command, noRedis, startRedis, type RedisUnderTest } from "../redis.ts";

describe.skipIf(noRedis !== "")(`the store on Redis${noRedis}`, () => {
  let redis: RedisUnderTest;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => (redis as RedisUnderTest | undefined)?.stop());

  test.each(discoveryStoreContract.map((each) => [each.name, each] as const))(
    "%s",
    (_, { holds }) => {
      const run = randomUUID();
      const expiryOf = async (key: string) => {
        const at = Number(await command(redis, "PEXPIRETIME", key));
        return at < 0 ? null : at;
      };
      const key = (name: string) => `${run}:${name}`;
      return holds({
        store: upstashStore(redis),
        key,
        now: () => Date.now(),
        expiryOf,
        leastLife: 0,
      });
    },
  );

  test("DS29 a store that can't be reached, or refuses the token, fails and says nothing is there to nobody", async () => {
    const refused = upstashStore({ ...redis, token: "another" });
    await expect(refused.get("a")).rejects.toThrow();
    const nowhere = upstashStore({ url: "http://127.0.0.1:9", token: "x" });
    await expect(nowhere.get("a")).rejects.toThrow();
    await expect(nowhere.put("a", new Uint8Array(1), Date.now() + 1_000)).rejects.toThrow();
  });
});
