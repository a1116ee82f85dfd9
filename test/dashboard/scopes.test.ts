import { expect, it } from "vitest";
import { SCOPE_OPTIONS } from "../../dashboard/src/model/scopes.ts";
import { SCOPES } from "../../src/protocol/http.ts";

it("DB22 offers every scope of the API for a new token, each with what it may do", () => {
  expect(SCOPE_OPTIONS.map(([scope]) => scope).toSorted()).toEqual([...SCOPES].toSorted());
  for (const [, text] of SCOPE_OPTIONS) expect(text).not.toBe("");
});
