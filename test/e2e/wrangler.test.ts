import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectPeer, controller } from "../../src/client/index.ts";
import { FILES } from "../../workers/dashboard/assets.js";
import { startWrangler } from "./wrangler.ts";

test("SV40 under wrangler dev, as for a deployment to Cloudflare, a peer joins and does a task with a large result, and the dashboard is served", async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-wrangler-"));
  try {
    const {
      url,
      meshKey,
      adminToken: token,
      stop,
    } = await startWrangler(dir, { AUTH_MODE: "open" });
    try {
      const large = "x".repeat(1_500_000);
      const peer = connectPeer({ url, meshKey, handlers: { large: () => large } });
      await peer.ready;
      expect(await controller({ url, token }).run("large", 1)).toBe(large);
      await peer.close();
      // SV40: wrangler runs the build of the dashboard.
      const page = await (await fetch(`${url}/dashboard`)).text();
      for (const name of Object.keys(FILES)) {
        expect(page).toContain(name);
        expect((await fetch(`${url}/dashboard/${name}`)).status).toBe(200);
      }
    } finally {
      await stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
