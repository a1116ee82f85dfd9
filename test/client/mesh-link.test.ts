import { describe, expect, test } from "vitest";
import { OptionsError } from "../../src/client/errors.ts";
import { readMeshLink } from "../../src/client/mesh-link.ts";
import { NoiseMesh } from "./noise-mesh.ts";

const KEY = "ab".repeat(32);

describe("readMeshLink", () => {
  test.each([
    ["muster://mesh.example/#" + KEY, "https://mesh.example/", null],
    ["muster://mesh.example:8443/#" + KEY + "&join=mjk_1", "https://mesh.example:8443/", "mjk_1"],
    ["muster://127.0.0.1:8787/#" + KEY, "http://127.0.0.1:8787/", null],
    ["muster://localhost/#" + KEY, "http://localhost/", null],
  ])("parses %s", (text, url, joinKey) => {
    expect(readMeshLink(text)).toEqual({ url, meshKey: KEY, joinKey });
  });

  test.each(["muster://mesh.example/", "muster://mesh.example/#abc", "muster:///#" + KEY])(
    "throws an OptionsError for %s",
    (text) => {
      expect(() => readMeshLink(text)).toThrow(OptionsError);
    },
  );

  test("returns null for any other URL", () => {
    expect(readMeshLink("https://mesh.example/#" + KEY)).toBeNull();
  });

  test("connectPeer refuses a link whose key is not the meshKey option", () => {
    const url = `muster://mesh.example/#${KEY}`;
    expect(() => new NoiseMesh().connect({ url, meshKey: "cd".repeat(32) })).toThrow(OptionsError);
  });
});
