import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScoreView } from "../../src/protocol/http.ts";
import { cityRecord, writeMmdb } from "../mmdb.ts";
import { muster, ProcessMarker, start } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-measured-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** A program that prints what traceroute prints for a path of 9 hops. */
async function fakeTraceroute(): Promise<string> {
  const folder = join(dir, "bin");
  await mkdir(folder);
  const file = join(folder, "traceroute");
  const hops = `printf 'traceroute to mesh (203.0.113.9), 30 hops max\\n 8  * *\\n 9  203.0.113.9  9.1 ms\\n'`;
  await writeFile(file, `#!/bin/sh\n${hops}\n`);
  await chmod(file, 0o755);
  return folder;
}

test("SC17 SC35 a mesh of `muster start` measures hops by traceroute and distance by a GeoIP database, and says so", async () => {
  const database = join(dir, "city.mmdb");
  await writeFile(
    database,
    writeMmdb([{ network: "127.0.0.0/8", record: cityRecord(40.7128, -74.006) }]),
  );
  const run = (more: Record<string, string> = {}) => ({ cwd: dir, env: { ...mark.env, ...more } });
  const mesh = start(
    ["start", "--port", "0", "--geoip-database", database],
    run({ MESH_LATITUDE: "40.7128", MESH_LONGITUDE: "-74.1" }),
  );
  await mesh.waitForOutput(/Ctrl-C stops it/);
  const PATH = `${await fakeTraceroute()}:${process.env["PATH"] ?? ""}`;
  const peer = start(["join", "--exec", "cat"], run({ PATH }));
  await peer.waitForOutput(/measured 9 hops to the mesh by traceroute/);
  const id = /joined .* as worker ([0-9a-f]{32})/.exec(peer.stdout)?.[1] ?? "";
  await expect
    .poll(() => scoreOf(id, run()), { timeout: 30_000 })
    .toMatchObject({
      hops: { raw: 9, known: 0.5, source: "traceroute reported by the peer, 9" },
      distance: {
        raw: expect.closeTo(7.92, 1),
        known: 1,
        source: "the peer's address, located by Test-City of 2026-11-03",
      },
    });
  const table = await muster(["score", id], run());
  expect(table.stdout).toMatch(/hops +9 hops .*traceroute reported by the peer, 9/);
  peer.child.kill("SIGINT");
  await peer.finished;
  mesh.child.kill("SIGINT");
  await mesh.finished;
});

async function scoreOf(id: string, options: Parameters<typeof muster>[1]) {
  const { stdout } = await muster(["score", id, "--json"], options);
  return (JSON.parse(stdout) as ScoreView).factors;
}
