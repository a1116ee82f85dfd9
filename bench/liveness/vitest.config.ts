import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const here = (file: string) => fileURLToPath(import.meta.resolve(file));

/** Runs `day.ts` in workerd, where it can count what the objects do. */
export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: here("./wrangler.toml") },
      miniflare: {
        bindings: {
          ADMIN_TOKEN: "bench-admin-token-0123456789abcdef",
          MESH_IDENTITY_KEY: "11".repeat(32),
          MESH_DISCOVERY_KEY: "22".repeat(32),
          MESH_SIGNING_KEY: "33".repeat(32),
          AUTH_MODE: "open",
          HANDSHAKES_PER_MINUTE: "1000000",
        },
      },
    }),
  ],
  test: { root: here("./"), include: ["day.ts"], testTimeout: 1_200_000 },
});
