import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUSTER_2_CHECKS } from "../../src/conformance/checks/index.ts";
import { checkPeer, failures, lasting, REPORTS } from "./conformance/kit.ts";
import { PROJECT } from "./processes.ts";

const python = join(PROJECT, "python/.venv/bin/python");
const isMissing = !existsSync(python);
const skippedBecause = isMissing
  ? " (skipped: `npm run test:python` makes the environment that this needs)"
  : "";

test.skipIf(isMissing)(
  `CF7 a peer of the Python SDK passes every check${skippedBecause}`,
  async () => {
    const command = `${python} ${join(PROJECT, "examples/conformance_peer.py")}`;
    const results = await checkPeer(command, MUSTER_2_CHECKS);
    expect(failures(results)).toEqual([]);
    // It takes frames of 1 MiB, and asks for no limit.
    const others = results.filter(({ outcome }) => outcome === "not_applicable");
    expect(others.filter(({ id }) => !id.startsWith("MF"))).toEqual([]);
    await expect(lasting("The Python SDK over muster/2", results)).toMatchFileSnapshot(
      join(REPORTS, "python-sdk.txt"),
    );
  },
);
