import { expect, inject, test } from "vitest";
import { bundleSize } from "./bundle-size.ts";

const { sdkFolder: folder } = inject("installed");

/** What a page loads at once, in kilobytes (1,000 bytes), gzipped. */
const BOUNDS = [
  ["connectPeer", 70],
  ["controller", 45],
] as const;

test.each(BOUNDS)(
  "PK11 a browser bundle of %s alone has under %i kB gzipped",
  async (name, kilobytes) => {
    const { atOnce } = await bundleSize([name], { folder, module: "muster-mesh" });
    expect(atOnce).toBeLessThan(kilobytes * 1_000);
  },
);
