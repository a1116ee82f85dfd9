import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigVariables } from "../../durable/config-variables.ts";
import { SECRETS } from "../../src/cli/settings/secret-settings.ts";
import { SETTINGS } from "../../src/cli/settings/settings-table.ts";

test("SV19 the table has every variable and secret of the Worker, and docs/configuration.md an entry for each", async () => {
  const workers = SETTINGS.filter(({ of }) => of === "worker");
  const ofWorker = [...workers.map(({ name }) => name), ...SECRETS];
  expect(ofWorker.toSorted()).toEqual(Object.keys(ConfigVariables.shape).toSorted());
  const doc = await readFile(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
  const entries = [...doc.matchAll(/^- (`[A-Z].*?`):? /gm)].flatMap(([line]) =>
    [...line.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name),
  );
  const settings = [...SETTINGS.map(({ name }) => name), ...SECRETS];
  for (const name of settings) expect(doc).toMatch(new RegExp(`\`${name}\``));
  const known = [...settings, "MESH_VERIFYING_KEY", "REPLICA_KEPT_BYTES"];
  expect(entries.filter((name) => !known.includes(name ?? ""))).toEqual([]);
});
