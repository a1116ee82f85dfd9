import { describe, expect, test } from "vitest";
import { PeerError } from "../../src/client/index.ts";
import { describeError } from "../../src/cli/failure.ts";

describe("the text of an error", () => {
  test.each(["revoked", "not_allowed", "join_key_invalid"] as const)(
    "names the code %s of a peer's error once",
    (code) => {
      const error = new PeerError(code, `the mesh refuses (${code}: the reason of the mesh)`);
      const { text } = describeError(error);
      expect(text).toMatch(new RegExp(`^${code}: the mesh refuses \\(the reason of the mesh\\)`));
      expect(text.split(code)).toHaveLength(2);
    },
  );
});
