import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundleSize, KILOBYTES_MAX } from "../bundle-size.ts";

const folder = join(import.meta.dirname, "../..");

describe("a web page with one part of the SDK", () => {
  test.each([
    ["connectPeer", "./src/client/peer/connect-peer.ts"],
    ["controller", "./src/client/clients/mesh-client.ts"],
  ] as const)("SK28 %s of %s loads less than its bound, gzipped", async (name, module) => {
    const { atOnce } = await bundleSize({ names: [name], module, folder });
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(KILOBYTES_MAX[name] * 1_000);
  });

  test("SK28 nothing that the SDK exports contains the schema library", async () => {
    const names = ["connectPeer", "controller", "discover", "verifyCallback", "deliver"];
    const { contained } = await bundleSize({ names, module: "./src/client/index.ts", folder });
    expect(contained.length).toBeGreaterThan(100);
    expect(contained.filter((path) => path.includes("node_modules/zod"))).toEqual([]);
  });
});
