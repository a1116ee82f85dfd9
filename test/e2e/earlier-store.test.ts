import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { replaceFile } from "../../src/cli/files.ts";
import { newSecrets, stateFolder } from "../../src/cli/state-folder.ts";
import { secretsText } from "../../src/cli/secrets-file.ts";
import { connectPeer, controller } from "../../src/client/index.ts";
import { startWrangler } from "./wrangler.ts";

const LARGE = 400_000;

test("BK34 the first start of a folder that ran under wrangler takes over its results, once, also after one that was interrupted", async () => {
  const root = await mkdtemp(join(tmpdir(), "muster-earlier-"));
  const dir = join(root, "mesh");
  const secrets = newSecrets();
  const token = secrets.ADMIN_TOKEN;
  try {
    const before = await startWrangler(dir, { AUTH_MODE: "open" }, secrets);
    const peer = connectPeer({ url: before.url, handlers: { large: () => "x".repeat(LARGE) } });
    const { id } = await controller({ url: before.url, token }).tasks.submit("large", null);
    await controller({ url: before.url, token }).tasks.wait(id);
    await peer.close();
    await before.stop();
    await replaceFile(stateFolder(dir).secrets, secretsText(secrets));
    const { state } = stateFolder(dir);
    for (const start of ["first", "as after an interruption", "third"]) {
      const mesh = await startMesh({ dir, port: 0 });
      try {
        const client = controller({ url: mesh.url, token });
        expect([start, await client.tasks.result<string>(id)]).toEqual([start, "x".repeat(LARGE)]);
      } finally {
        await mesh.stop();
      }
      expect(await readdir(join(state, "v3"))).toContain("kv.taken-over");
      if (start === "first") await rename(join(state, "v3/kv.taken-over"), join(state, "v3/kv"));
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
