import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { buildDashboard } from "./dashboard/build/build-dashboard.ts";
import { LongestFirst } from "./test/longest-first.ts";

// The Worker contains it.
await buildDashboard();

// The processes that tests start read the same modules: with a cache a command starts in half the time.
process.env["NODE_COMPILE_CACHE"] ??= new URL(
  "node_modules/.cache/node-compile",
  import.meta.url,
).pathname;

/** Keys of the test mesh, published here and worth nothing elsewhere. */
const TEST_SECRETS = {
  ADMIN_TOKEN: "test-admin-token-0123456789abcdef",
  MESH_IDENTITY_KEY: "11".repeat(32),
  MESH_DISCOVERY_KEY: "22".repeat(32),
  MESH_SIGNING_KEY: "33".repeat(32),
};

/** The peers of the tests are strangers, and all callers have one address, whose budgets they share. */
const TEST_VARIABLES = {
  AUTH_MODE: "open",
  HANDSHAKES_PER_MINUTE: "1000000",
  FAILED_AUTHORIZATIONS_PER_MINUTE: "1000000",
  FAILED_DELIVERIES_PER_MINUTE: "1000000",
  DISCOVERY_READS_PER_MINUTE: "1000000",
};

/** Most tests never wait, some do for seconds: one worker more than cores. */
const maxWorkers = navigator.hardwareConcurrency + 1;

/** On a busy machine loading a module, or a call that a hook makes, takes ten times as long. */
const hookTimeout = 180_000;

/** Limits of tests that start processes: on a busy machine a start takes ten times as long. */
const PATIENT = { testTimeout: 180_000, hookTimeout };

/** Of the tests that start processes, most of which wait for them. */
const waitingWorkers = 4;

/**
 * Files that look at what an isolate does for all of its requests together (it limits its log, and reports what it has refused a while later,
 * which some of these files would find in the storage that they compare), and one after which a reset sometimes leaves rows.
 */
const OF_ONE_ISOLATE = [
  "durable/task-cost",
  "workers/export",
  "workers/import",
  "workers/logs",
  "workers/metrics",
  "workers/problems",
  "workers/refused-deliveries",
  "workers/strict-requests",
].map((path) => `test/${path}.test.ts`);

interface WorkerdFiles {
  readonly include: string[];
  readonly exclude?: string[];
  readonly isolate?: boolean;
}

/**
 * A project whose tests run in workerd. Its files share isolates, because loading the Worker takes longer than the tests of most files;
 * each begins with empty storage.
 */
const workerdProject = (
  name: string,
  files: WorkerdFiles,
  variables: Readonly<Record<string, string>> = {},
): TestProjectInlineConfiguration => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { ...TEST_SECRETS, ...TEST_VARIABLES, ...variables } },
    }),
  ],
  test: {
    name,
    isolate: false,
    ...files,
    setupFiles: ["test/empty-storage.ts"],
    maxWorkers,
    testTimeout: 180_000,
    hookTimeout,
  },
});

/** What `npm test` runs of the end-to-end tests. */
const SMOKE = "test/e2e/smoke.test.ts";

/**
 * `core`, `workerd`, `isolates`, `cells` (a mesh of four cells) and `smoke` are `npm test`: they need nothing beyond npm. `e2e` is
 * `npm run test:rest`: real meshes, peers and replicas as processes, and programs in Go and PHP. Its tests are skipped, with the reason,
 * where Redis, Go or PHP is missing. `package` belongs to `npm run test:rest`, too: it installs the packages as users do, which needs the
 * registry that npm is configured with.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "core",
          setupFiles: ["test/leaked-timers.ts"],
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/durable/**",
            "test/workers/**",
            "test/cells-workerd/**",
            "test/e2e/**",
            "test/interop/**",
            "test/package/**",
          ],
          // Loading the modules again for each file would take longer than its tests.
          pool: "threads",
          isolate: false,
          maxWorkers,
          // Property tests take minutes at a high MUSTER_TEST_SCALE; a test that hangs still fails.
          testTimeout: 300_000,
          hookTimeout,
        },
      },
      workerdProject("workerd", {
        include: ["test/durable/**/*.test.ts", "test/workers/**/*.test.ts"],
        exclude: OF_ONE_ISOLATE,
      }),
      workerdProject("isolates", { include: OF_ONE_ISOLATE, isolate: true }),
      workerdProject(
        "cells",
        // An isolate remembers the load of cells, which a file's empty cells do not have.
        { include: ["test/cells-workerd/**/*.test.ts"], isolate: true },
        { CELLS: "4" },
      ),
      {
        test: { name: "smoke", include: [SMOKE], maxWorkers, ...PATIENT },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/interop/**/*.test.ts"],
          exclude: [SMOKE],
          globalSetup: "test/e2e/bundled-command.ts",
          maxWorkers: waitingWorkers,
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      },
      {
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          globalSetup: "test/package/setup.ts",
          maxWorkers: waitingWorkers,
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      },
    ],
  },
});
