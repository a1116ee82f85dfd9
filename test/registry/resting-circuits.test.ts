import { expect, test } from "vitest";
import { openRegistry } from "../../src/registry/registry.ts";
import { NEW_CIRCUIT } from "../../src/tasks/circuit.ts";
import { nodeSql } from "../node-sql.ts";

const OPEN = { ...NEW_CIRCUIT, restsUntil: 9_000, reason: "failed" };

test("AS68 circuits that a failed transaction opened are forgotten, also when it was the first to read them", () => {
  const registry = openRegistry(nodeSql());
  const { circuits } = registry;
  expect(() =>
    registry.transaction(() => {
      registry.transaction(() => circuits.put("p", "echo", OPEN, 1_000));
      expect([...circuits.resting.at("echo")]).toEqual([["p", 9_000]]);
      throw new Error("undone");
    }),
  ).toThrow("undone");
  expect([...circuits.resting.at("echo")]).toEqual([]);
  expect(circuits.resting.nextEnd(1_000)).toBeNull();
});

test("AS68 a peer that a failed transaction forgot rests as before", () => {
  const registry = openRegistry(nodeSql());
  const { circuits } = registry;
  registry.transaction(() => circuits.put("p", "echo", OPEN, 1_000));
  expect(() =>
    registry.transaction(() => {
      circuits.remove("p");
      expect([...circuits.resting.at("echo")]).toEqual([]);
      throw new Error("undone");
    }),
  ).toThrow("undone");
  expect([...circuits.resting.at("echo")]).toEqual([["p", 9_000]]);
});
