import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openRegistry } from "../../src/registry/registry.ts";
import { aPeer, aTask } from "../contracts/records.ts";
import { nodeSql } from "../node-sql.ts";

/** A database whose last process ended before it wrote how many tasks a peer holds. */
function afterCrash(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  const registry = openRegistry(nodeSql(database));
  const peer = aPeer({ state: "active", held: 0 });
  registry.transaction(() => {
    registry.peers.put(peer);
    registry.tasks.insert(aTask({ state: "running", peerId: peer.id, leaseUntil: 1 }));
  });
  database.exec(`UPDATE peers SET held = 7`);
  return database;
}

test("SV26 opening a registry writes nothing, whatever the last crash has lost, and reads go on", () => {
  const database = afterCrash();
  database.exec("PRAGMA query_only = 1");
  const registry = openRegistry(nodeSql(database));
  expect(registry.peers.get(aPeer().id)).not.toBeNull();
  expect([...registry.peers.list({ limit: 5 })]).toHaveLength(1);
});

test("SV26 the first transaction corrects what the crash has lost, and again if it fails", () => {
  const database = afterCrash();
  const registry = openRegistry(nodeSql(database));
  expect(registry.roster.size).toBe(1);
  const held = () => registry.peers.get(aPeer().id)?.held;
  expect(() =>
    registry.transaction(() => {
      throw new Error("no room");
    }),
  ).toThrow("no room");
  expect(held()).toBe(7);
  registry.transaction(() => {});
  expect(held()).toBe(1);
  registry.measurements.flush();
  expect(database.prepare("SELECT held FROM peers").all()).toEqual([{ held: 1 }]);
});
