#!/usr/bin/env node
// The command line. npm links it in a checkout, too, and there it runs from the sources: what was built may be older.
import { existsSync } from "node:fs";

const isCheckout =
  import.meta.url.endsWith("/packages/mesh/bin/muster.js") &&
  existsSync(new URL("../../../src/cli/main.ts", import.meta.url));
const program = isCheckout ? "../../../bin/muster.js" : "../dist/programs/main.js";
await import(new URL(program, import.meta.url).href);
