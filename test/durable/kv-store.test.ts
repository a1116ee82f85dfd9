import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, it } from "vitest";
import { kvStore } from "../../durable/kv-store.ts";
import { discoveryStoreContract } from "../contracts/discovery-store.suite.ts";

afterEach(async () => {
  await reset();
});

/** The expiration time of a key in KV. */
async function expiryOf(key: string): Promise<number | null> {
  const { keys } = await env.BLOBS.list({ prefix: key });
  const seconds = keys.find(({ name }) => name === key)?.expiration;
  return seconds === undefined ? null : seconds * 1_000;
}

describe("the discovery store on KV", () => {
  it.each(discoveryStoreContract.map((each) => [each.name, each] as const))("%s", (_, { run }) => {
    const now = () => Date.now();
    const store = kvStore(env.BLOBS, now);
    return run({ store, key: (name) => name, now, expiryOf, lifetimeMin: 60_000 });
  });
});
