import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Keys of the test mesh, published here and worth nothing elsewhere. */
const TEST_SECRETS = {
  ADMIN_TOKEN: "test-admin-token-0123456789abcdef",
  MESH_IDENTITY_KEY: "11".repeat(32),
  MESH_DISCOVERY_KEY: "22".repeat(32),
  MESH_SIGNING_KEY: "33".repeat(32),
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "core",
          // Property tests take their time on a busy machine; what hangs fails all the same.
          testTimeout: 300_000,
          include: ["test/**/*.test.ts"],
          exclude: ["test/durable/**", "test/workers/**", "test/e2e/**", "test/interop/**"],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            // All tests share one address.
            miniflare: { bindings: { ...TEST_SECRETS, HANDSHAKES_PER_MINUTE: "1000000" } },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/durable/**/*.test.ts", "test/workers/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/interop/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
