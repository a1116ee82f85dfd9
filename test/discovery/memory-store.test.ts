import { describe, test } from "vitest";
import { discoveryStoreContract } from "../contracts/discovery-store.suite.ts";
import { MemoryStore } from "./memory-store.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("the store in memory", () => {
  test.each(discoveryStoreContract.map((each) => [each.name, each] as const))(
    "%s",
    (_, { run }) => {
      const store = new MemoryStore(() => NOW);
      const expiryOf = async (key: string) => store.expiryOf(key);
      return run({ store, key: (name) => name, now: () => NOW, expiryOf, lifetimeMin: 0 });
    },
  );
});
