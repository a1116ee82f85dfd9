import { readFileSync } from "node:fs";
import { z } from "zod";
import { PACKAGE_FOLDER } from "./package-folder.ts";

const Manifest = z.object({ version: z.string() });

/** The version of the package, or of the checkout. */
export const version = (): string =>
  Manifest.parse(JSON.parse(readFileSync(`${PACKAGE_FOLDER}package.json`, "utf8"))).version;
