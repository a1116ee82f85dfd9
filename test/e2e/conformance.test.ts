import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startMeshServer } from "../../src/cli/conformance/mesh-server.ts";
import { GO_P2P_CHECKS } from "../../src/conformance/checks/go-p2p.ts";
import { SERVER_CHECKS } from "../../src/conformance/server/index.ts";
import { MUSTER_2_CHECKS } from "../../src/conformance/checks/index.ts";
import { waitFor } from "../wait-for.ts";
import { go, missingForGoExample } from "../interop/go-example.ts";
import { buildGo, fetchGoModules } from "../interop/go-module.ts";
import {
  checkMesh,
  checkPeer,
  failures,
  GO_P2P,
  lasting,
  named,
  REPORTS,
  SDK,
  SMALL,
} from "./conformance/kit.ts";
import { testMesh } from "./mesh.ts";
import { isRunning, muster } from "./processes.ts";

const dir = await mkdtemp(join(tmpdir(), "muster-conformance-"));
const missingGo = await missingForGoExample();
const goSkipReason = await fetchGoModules();
const skippedBecause = goSkipReason === null ? "" : ` (skipped: ${goSkipReason})`;
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("a go-p2p node", () => {
  test("CF9 of either generation, and the SDK over go-p2p 1.0, passes every check", async () => {
    const forms = ["generation 1", "early generation 2", "late generation 2"];
    const reports: string[] = [];
    for (const form of forms) {
      const results = await checkPeer(`FORM='${form}' ${GO_P2P}`, GO_P2P_CHECKS, "go-p2p/1.0");
      expect([form, failures(results)]).toEqual([form, []]);
      reports.push(lasting(`A node of ${form}`, results));
    }
    const sdk = await checkPeer(SDK, GO_P2P_CHECKS, "go-p2p/1.0");
    expect(failures(sdk)).toEqual([]);
    reports.push(lasting("The TypeScript SDK over go-p2p/1.0", sdk));
    await expect(reports.join("\n")).toMatchFileSnapshot(join(REPORTS, "go-p2p.txt"));
  });

  test.skipIf(goSkipReason !== null)(
    `CF9 in Go, with the published Borg module, passes the core${skippedBecause}`,
    async () => {
      const binary = join(dir, "go-peer");
      await buildGo(".", binary);
      const core = GO_P2P_CHECKS.filter(({ subset }) => subset === "core");
      // It leaves when its standard input ends.
      const command = `tail -f /dev/null | ${binary} "$MUSTER_WS_URL"`;
      expect(failures(await checkPeer(command, core, "go-p2p/1.0"))).toEqual([]);
    },
    600_000,
  );
});

test.skipIf(missingGo !== null)(
  `CF11 the example peer in Go passes every check that applies to it${missingGo === null ? "" : ` (skipped: ${missingGo})`}`,
  async () => {
    const binary = join(dir, "go-example");
    await go("build", "-o", binary, ".");
    const results = await checkPeer(binary, MUSTER_2_CHECKS);
    expect(failures(results)).toEqual([]);
    await expect(lasting("The example peer in Go over muster/2", results)).toMatchFileSnapshot(
      join(REPORTS, "go-peer.txt"),
    );
  },
  600_000,
);

describe("a mesh", () => {
  test("CF10 of muster serve passes every check", async () => {
    const started = await testMesh({ AUTH_MODE: "allowlist" });
    try {
      const { url, adminToken } = started.mesh;
      const results = await checkMesh({ url: `${url}/`, token: adminToken });
      expect(failures(results)).toEqual([]);
      expect(results.filter(({ outcome }) => outcome === "not_applicable")).toEqual([]);
      await expect(lasting("A mesh of muster serve over muster/2", results)).toMatchFileSnapshot(
        join(REPORTS, "muster-serve.txt"),
      );
    } finally {
      await started.stop();
    }
  });

  test("CF10 a server that only takes connections passes no check of a session", async () => {
    const server = await startMeshServer({
      upgraded: (upgrade) => void upgrade.accept("muster.2"),
      requested: async () => ({ status: 200, body: "{}" }),
    });
    try {
      const results = await checkMesh({ url: server.url, token: undefined });
      expect(results.filter(({ outcome }) => outcome === "passed")).toEqual([]);
      expect(results).toHaveLength(SERVER_CHECKS.length);
    } finally {
      await server.close();
    }
  });
});

const conformance = (...argv: readonly string[]) => muster(["conformance", ...argv]);

describe("the command", () => {
  test("CF6 ends with 0 if every check of the level must has passed, else with 1", async () => {
    const junit = join(dir, "report.xml");
    const only = ["--only", "UP01,HF04,HF07", "--json", "--junit", junit];
    const good = await conformance("--cmd", SDK, ...only);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ conforms: true, passed: 3 });
    expect(await readFile(junit, "utf8")).toContain('tests="3" failures="0"');
    // The small peer names no client, which only should be.
    const small = await conformance("--cmd", SMALL, ...only);
    expect(small.code).toBe(0);
    expect(JSON.parse(small.stdout)).toMatchObject({ conforms: true, failed_should: 1 });
    const bad = await conformance("--cmd", `FAULT=one-slot ${SMALL}`, ...only);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({ conforms: false, failed_must: 1 });
    expect(await readFile(junit, "utf8")).toContain("slots: 1");
  });

  test("CF4 ends all that the program has started", async () => {
    const pids = join(dir, "pids");
    const ends = `sleep 1000 & echo $! >> ${pids}; ${SDK}`;
    expect(failures(await checkPeer(ends, named("UP01")))).toEqual([]);
    const started = (await readFile(pids, "utf8")).trim().split("\n").map(Number);
    expect(started).toHaveLength(1);
    for (const pid of started) await waitFor(async () => expect(await isRunning(pid)).toBe(false));
  });
});
