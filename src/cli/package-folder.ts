import { fileURLToPath } from "node:url";
import { isInstalled } from "./command-name.ts";

/** The folder of this program's `package.json`: two above its modules, in the root of a checkout and in an installed package. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** The folder with the sources of this program. */
export const SOURCES_FOLDER = `${PACKAGE_FOLDER}${isInstalled() ? "sources" : "src"}`;
