import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, it } from "vitest";
import { durableSql } from "../../durable/durable-sql.ts";
import { registryContract } from "../contracts/registry.suite.ts";

afterEach(async () => {
  await reset();
});

describe("the registry on a Durable Object's SQLite", () => {
  for (const { name, run } of registryContract) {
    it(name, async () => {
      const stub = env.COORDINATOR.get(env.COORDINATOR.idFromName(`contract: ${name}`));
      await runInDurableObject(stub, (_, { storage }) => run(() => durableSql(storage)));
    });
  }
});
