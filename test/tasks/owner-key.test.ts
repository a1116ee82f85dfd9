import { expect, test } from "vitest";
import { ownerKeyOf } from "../../src/tasks/owner-key.ts";

test.each([
  ["admin", "webhook:ci", "webhook:ci"],
  ["admin", "api", "admin"],
  ["0011223344556677", "api", "0011223344556677"],
  ["ab".repeat(16), "peer", "ab".repeat(16)],
])("AD20 CB30 a task of %s by %s was caused by %s", (owner, source, key) => {
  expect(ownerKeyOf({ owner, source })).toBe(key);
});
