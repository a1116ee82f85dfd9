import { describe, expect, inject, test } from "vitest";
import { bundleSize, KILOBYTES_MAX } from "../bundle-size.ts";
import { viteBundleSize } from "./vite-bundle-size.ts";

const { sdkFolder: folder } = inject("installed");
const BOUNDS = Object.entries(KILOBYTES_MAX);

describe("PK11 what a page loads at once of a bundle", () => {
  test.each(BOUNDS)(
    "of %s alone is under %i kB gzipped, bundled by esbuild",
    async (name, kilobytes) => {
      const { atOnce } = await bundleSize({ names: [name], module: "muster-mesh", folder });
      expect(atOnce).toBeGreaterThan(0);
      expect(atOnce).toBeLessThan(kilobytes * 1_000);
    },
  );

  test.each(BOUNDS)(
    "of %s alone is under %i kB gzipped, bundled by Vite",
    async (name, kilobytes) => {
      const atOnce = await viteBundleSize({ names: [name], module: "muster-mesh", folder });
      expect(atOnce).toBeGreaterThan(0);
      expect(atOnce).toBeLessThan(kilobytes * 1_000);
    },
  );
});
