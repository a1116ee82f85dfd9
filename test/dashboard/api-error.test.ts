import { expect, test } from "vitest";
import { ApiError } from "../../dashboard/src/api/api-error.ts";

test.each([
  [0, false],
  [200, false],
  [401, true],
  [403, true],
  [429, true],
  [500, false],
  [503, false],
  [507, false],
])("DB24 an answer %i to the stream of events is a refusal: %s", (status, isRefusal) => {
  expect(new ApiError(status, "code", "why").isRefusal).toBe(isRefusal);
});
