import { fileURLToPath } from "node:url";
import { isInstalled } from "./command-name.ts";

/** The folder of this program's `package.json`: two above its modules, in the root of a checkout and in an installed package. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** The folder with the modules of this program: their sources in a checkout, what was built from them in an installed package. */
export const MODULES_FOLDER = `${PACKAGE_FOLDER}${isInstalled() ? "dist" : "src"}`;
