import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SECRETS } from "../../src/cli/settings/secret-settings.ts";
import { SETTINGS } from "../../src/cli/settings/settings-table.ts";

const FOLDER = join(import.meta.dirname, "../../docs/deploy");
const FILES = ["Dockerfile", "compose.yaml", "muster.service"];
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the files for containers and systemd", () => {
  test.skipIf(!hasSystemd)(
    "SV20 systemd finds no fault in the unit (needs systemd-analyze)",
    () => {
      const { status, stderr, stdout } = spawnSync(
        "systemd-analyze",
        ["verify", join(FOLDER, "muster.service")],
        { encoding: "utf8" },
      );
      expect([status, stdout, stderr]).toEqual([0, "", ""]);
    },
  );

  test("SV20 every variable that they set is a setting, and no secret", () => {
    const names: readonly string[] = SETTINGS.map(({ name }) => name);
    const set = FILES.flatMap((file) =>
      [...readFileSync(join(FOLDER, file), "utf8").matchAll(/\b([A-Z]+(?:_[A-Z]+)+)[=:] ?\S/g)].map(
        ([, name = ""]) => name,
      ),
    );
    expect(
      set.filter((name) => name.startsWith("MUSTER_") && name !== "MUSTER_VERSION"),
    ).not.toEqual([]);
    for (const name of set.filter((each) => !["MUSTER_VERSION", "MESH_DOMAIN"].includes(each)))
      expect(names).toContain(name);
    for (const secret of SECRETS) expect(set).not.toContain(secret);
  });
});
