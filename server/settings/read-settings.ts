import { isIP } from "node:net";
import { Failure, UsageError } from "../../src/cli/failure.ts";
import { readFileIfExists, readInputFile } from "../../src/cli/files.ts";
import { readPrivateFile } from "../../src/cli/private-file.ts";
import type { MeshSettings, SettingSources } from "../../src/cli/server-module.ts";
import { SECRET_NAMES, secretLinesIn } from "../../src/cli/secrets-file.ts";
import { SECRETS, type SecretSetting } from "../../src/cli/settings/secret-settings.ts";
import { SETTINGS, type Setting } from "../../src/cli/settings/settings-table.ts";
import { readWholeNumber } from "../../src/base/number-text.ts";
import { STATE_FOLDER } from "../../src/cli/state-folder.ts";
import { checkSecret, checkWorkerSetting } from "./check-worker-setting.ts";
import { settingFault, type GivenSetting, type GivenSettings } from "./given-settings.ts";
import { checkFile, checkFolder } from "./setting-files.ts";
import { fromEnvironment, fromFlags, fromToml } from "./setting-sources.ts";

const CONFIG_DEFAULT = "muster.toml";
const PORT_DEFAULT = 8787;
const PORT_MAX = 65_535;
const LOG_FORMS = ["text", "json"] as const;

/** The settings of a mesh: of each, the flag counts before the environment, and that before the file. One that is not allowed is an error of the call. */
export async function readSettings({
  flags,
  flagNames,
  env,
}: SettingSources): Promise<MeshSettings> {
  const above = { ...fromEnvironment(env), ...fromFlags(flags, flagNames) };
  const given: GivenSettings = { ...(await configFile(above["MUSTER_CONFIG"])), ...above };
  for (const setting of SETTINGS) {
    const one = given[setting.name];
    if (one !== undefined) await checkSetting(setting, one);
  }
  const valueOf = (name: string): string | undefined => given[name]?.value;
  return {
    host: valueOf("MUSTER_HOST"),
    port: Number(valueOf("MUSTER_PORT") ?? PORT_DEFAULT),
    dir: valueOf("MUSTER_DIR") ?? STATE_FOLDER,
    connectionsPerAddress: numberOf(valueOf("MUSTER_CONNECTIONS_PER_ADDRESS")),
    log: LOG_FORMS.find((form) => form === valueOf("MUSTER_LOG")) ?? "text",
    geoipDatabase: valueOf("GEOIP_DATABASE"),
    tls: tlsOf(given["MUSTER_TLS_CERT"], given["MUSTER_TLS_KEY"]),
    variables: Object.fromEntries(
      SETTINGS.filter(({ of }) => of === "worker").flatMap(({ name }) => {
        const value = valueOf(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    secrets: await secretsOf(given),
    sources: Object.fromEntries(Object.entries(given).map(([name, { source }]) => [name, source])),
  };
}

const numberOf = (value: string | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

/** What the host alone reads, by the name of the setting: whether a value is allowed. */
const HOST_CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  MUSTER_HOST: (value) =>
    isIP(value) !== 0 || /^(?=.*[a-z])[a-z\d](?:[a-z\d.-]{0,252})$/i.test(value),
  MUSTER_PORT: (value) => (readWholeNumber(value) ?? Infinity) <= PORT_MAX,
  MUSTER_CONNECTIONS_PER_ADDRESS: (value) => /^[1-9]\d{0,6}$/.test(value),
  MUSTER_LOG: (value) => (LOG_FORMS as readonly string[]).includes(value),
};

async function checkSetting(setting: Setting, given: GivenSetting): Promise<void> {
  if (setting.of === "worker") checkWorkerSetting(setting, given);
  else if (setting.value === "FILE") await checkFile(given, setting.allowed);
  else if (setting.value === "FOLDER") await checkFolder(given, setting.allowed);
  else if (HOST_CHECKS[setting.name]?.(given.value) !== true)
    throw settingFault(given, setting.allowed);
}

async function configFile(named: GivenSetting | undefined): Promise<GivenSettings> {
  if (named !== undefined) {
    await checkFile(named, "a file that exists and can be read");
    return fromToml(await readInputFile(named.value), named.value);
  }
  const text = await readFileIfExists(CONFIG_DEFAULT);
  return text === null ? {} : fromToml(text, CONFIG_DEFAULT);
}

function tlsOf(cert: GivenSetting | undefined, key: GivenSetting | undefined): MeshSettings["tls"] {
  if (cert === undefined && key === undefined) return null;
  if (cert !== undefined && key !== undefined) return { cert: cert.value, key: key.value };
  const [{ source = "" } = {}, missing] = key === undefined ? [cert, "key"] : [key, "cert"];
  throw new UsageError(
    `${source} is given without --tls-${missing}`,
    `TLS needs both files: set MUSTER_TLS_${missing.toUpperCase()}, too`,
  );
}

/** The secrets that come from elsewhere than the state folder; empty if the folder has them. */
async function secretsOf(given: GivenSettings): Promise<Readonly<Record<string, string>>> {
  const all = given["MUSTER_SECRETS"];
  const found: Record<string, string> = {};
  const take = (name: SecretSetting, value: string, source: string): void => {
    checkSecret(name, value, source);
    found[name] = value;
  };
  if (all !== undefined)
    for (const [name, value] of Object.entries(await secretsFile(all)))
      take(name as SecretSetting, value, `${all.source}, the file ${all.value}`);
  for (const name of SECRETS) {
    const [inline, file] = [given[name], given[`${name}_FILE`]];
    if (inline !== undefined && file !== undefined)
      throw new UsageError(
        `${name} is given twice, by ${inline.source} and by ${file.source}`,
        "leave one of them out",
      );
    if (inline !== undefined) take(name, inline.value, inline.source);
    if (file !== undefined)
      take(name, (await secretText(file)).trim(), `${file.source}, the file ${file.value}`);
  }
  // A mesh has all of these or makes all of them.
  const present = SECRET_NAMES.filter((name) => found[name] !== undefined);
  const missing = SECRET_NAMES.filter((name) => found[name] === undefined);
  if (present.length > 0 && missing.length > 0)
    throw new UsageError(
      `${present.join(", ")} without ${missing.join(", ")}: give all four, or none of them`,
      "without any, the mesh makes its own and keeps them in its folder",
    );
  return found;
}

/** The text of a file with secrets, which must exist. */
async function secretText(file: GivenSetting): Promise<string> {
  await checkFile(file, "a file that exists and can be read");
  return (await readPrivateFile(file.value)) ?? "";
}

async function secretsFile(
  file: GivenSetting,
): Promise<{ readonly [Name in SecretSetting]?: string }> {
  const text = await secretText(file);
  const from = `${file.value} (${file.source})`;
  try {
    const found = secretLinesIn(text, from);
    if (Object.keys(found).length > 0) return found;
    // A file that was not mounted or not written: the mesh would make other secrets, and be another mesh.
    throw new UsageError(`${from} has no secret`, `write lines NAME=VALUE: ${SECRETS.join(", ")}`);
  } catch (error) {
    // The user has named the file: what is wrong with it is an error of the call.
    if (error instanceof UsageError) throw error;
    throw error instanceof Failure ? new UsageError(error.message, error.hint) : error;
  }
}
