import { expect, inject, test } from "vitest";
import { bundleSize } from "./bundle-size.ts";

const { sdkFolder: folder } = inject("installed");

/** In kilobytes (1,000 bytes), gzipped. */
const BOUNDS = [
  ["connectPeer", 70],
  ["controller", 65],
] as const;

test.each(BOUNDS)(
  "PK11 a browser bundle of %s alone has under %i kB gzipped",
  async (name, kilobytes) => {
    const { gzipped } = await bundleSize([name], { folder, module: "muster-mesh" });
    expect(gzipped).toBeLessThan(kilobytes * 1_000);
  },
);
