import { DatabaseSync } from "node:sqlite";
import { describe, test } from "vitest";
import { registryContract } from "../contracts/registry.suite.ts";
import { nodeSql } from "../node-sql.ts";

describe("the registry on node:sqlite", () => {
  for (const { name, run } of registryContract) {
    test(name, () => {
      const database = new DatabaseSync(":memory:");
      run(() => nodeSql(database));
    });
  }
});
