#!/usr/bin/env node
// The command line. npm links it in a checkout, too, and there it runs from the sources: what was built may be older.
import { existsSync } from "node:fs";

/** What package.json states in `engines`. npm only warns of another version. */
const REQUIRED = [22, 12];

const isCheckout =
  import.meta.url.endsWith("/packages/mesh/bin/muster.js") &&
  existsSync(new URL("../../../src/cli/main.ts", import.meta.url));
const program = isCheckout ? "../../../bin/muster.js" : "../dist/programs/main.js";

// The one in a checkout runs itself with a newer Node.
if (isCheckout || isNewEnough(process.versions.node)) {
  await import(new URL(program, import.meta.url).href);
} else {
  process.stderr.write(
    `muster: Node ${process.versions.node} is too old; install Node ${REQUIRED.join(".")} or newer\n`,
  );
  process.exitCode = 1;
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > REQUIRED[0] || (major === REQUIRED[0] && minor >= REQUIRED[1]);
}
