import type { BuildOptions } from "esbuild";
import { ROOT } from "./paths.ts";

/** How programs for Node.js are bundled: one file for each, and files for what several of them share. */
export const PROGRAM_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  mainFields: ["module", "main"],
  target: "node22.12",
  charset: "utf8",
  logLevel: "warning",
} satisfies BuildOptions;
