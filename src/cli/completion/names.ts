import { PACKAGE } from "../command-name.ts";

/** The words behind `npx` that call this program: in a checkout, and anywhere else. */
export const NPX_NAMES: readonly string[] = [PACKAGE, "muster"];
