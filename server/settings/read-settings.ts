import { readFileIfExists } from "../../src/cli/files.ts";
import { UsageError } from "../../src/cli/failure.ts";
import { readPrivateFile } from "../../src/cli/private-file.ts";
import type { MeshSettings, SettingSources } from "../../src/cli/server-module.ts";
import { SECRETS, SETTINGS } from "../../src/cli/settings/settings-table.ts";
import { fromEnvironment, fromToml, type Values } from "./setting-sources.ts";

const CONFIG_DEFAULT = "muster.toml";
const PORT_DEFAULT = 8787;
const PORT_MAX = 65_535;
const LOG_FORMS = ["text", "json"] as const;
/** A mesh has all of these or makes all of them. */
const REQUIRED = [
  "ADMIN_TOKEN",
  "MESH_IDENTITY_KEY",
  "MESH_DISCOVERY_KEY",
  "MESH_SIGNING_KEY",
] as const;

/** The settings of a mesh: of each, the flag counts before the environment, and that before the file. */
export async function readSettings({ flags, env }: SettingSources): Promise<MeshSettings> {
  const environment = fromEnvironment(env);
  const above = { ...environment, ...flags };
  const given: Values = { ...(await configFile(above["MUSTER_CONFIG"])), ...above };
  /** What the user wrote to set it, so that an error names what is to be changed. */
  const nameOf = (flag: "port" | "log"): string => {
    const variable = `MUSTER_${flag.toUpperCase()}`;
    if (flags[variable] !== undefined) return `--${flag}`;
    if (environment[variable] !== undefined) return variable;
    return `${flag} in ${above["MUSTER_CONFIG"] ?? CONFIG_DEFAULT}`;
  };
  return {
    host: given["MUSTER_HOST"],
    port: portOf(given["MUSTER_PORT"], nameOf("port")),
    dir: given["MUSTER_DIR"] ?? ".muster",
    log: logForm(given["MUSTER_LOG"], nameOf("log")),
    geoipDatabase: given["GEOIP_DATABASE"],
    tls: tlsOf(given["MUSTER_TLS_CERT"], given["MUSTER_TLS_KEY"]),
    variables: Object.fromEntries(
      SETTINGS.filter(({ of }) => of === "worker").flatMap(({ name }) =>
        given[name] === undefined ? [] : [[name, given[name]]],
      ),
    ),
    secrets: await secretsOf(given),
  };
}

async function configFile(named: string | undefined): Promise<Values> {
  const file = named ?? CONFIG_DEFAULT;
  const text = await readFileIfExists(file);
  if (text !== null) return fromToml(text, file);
  if (named === undefined) return {};
  throw new UsageError(`${file} does not exist`, "it is the file of settings (--config)");
}

function portOf(text: string | undefined, name: string): number {
  if (text === undefined) return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= PORT_MAX))
    throw new UsageError(`${name} must be a whole number of at most ${PORT_MAX}, not "${text}"`);
  return port;
}

function logForm(text = "text", name: string): MeshSettings["log"] {
  const form = LOG_FORMS.find((known) => known === text);
  if (form === undefined)
    throw new UsageError(`${name} must be one of ${LOG_FORMS.join(", ")}, not "${text}"`);
  return form;
}

function tlsOf(cert: string | undefined, key: string | undefined): MeshSettings["tls"] {
  if (cert === undefined && key === undefined) return null;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const [given, missing] = key === undefined ? ["cert", "key"] : ["key", "cert"];
  throw new UsageError(`--tls-${given} is given without --tls-${missing}`, "TLS needs both files");
}

/** The secrets that come from elsewhere than the state folder; empty if the folder has them. */
async function secretsOf(given: Values): Promise<Values> {
  const fromFile = given["MUSTER_SECRETS"];
  const found: Record<string, string> = fromFile === undefined ? {} : await secretsFile(fromFile);
  for (const name of SECRETS) {
    const [value, file] = [given[name], given[`${name}_FILE`]];
    if (value !== undefined && file !== undefined)
      throw new UsageError(`${name} and ${name}_FILE are both given`, "leave one of them out");
    if (value !== undefined) found[name] = value;
    if (file !== undefined) found[name] = (await readExisting(file, `${name}_FILE`)).trim();
  }
  const present = REQUIRED.filter((name) => found[name] !== undefined);
  const missing = REQUIRED.filter((name) => found[name] === undefined);
  if (present.length > 0 && missing.length > 0)
    throw new UsageError(
      `${present.join(", ")} without ${missing.join(", ")}: give all four, or none of them`,
      "without any, the mesh makes its own and keeps them in its folder",
    );
  return found;
}

async function secretsFile(file: string): Promise<Record<string, string>> {
  const text = await readExisting(file, "--secrets");
  const found: Record<string, string> = {};
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name = "", value = ""] = /^([A-Z_]+)=(\S+)\s*$/.exec(line) ?? [];
    // The line may be a secret, so the error does not show it.
    if (!(SECRETS as readonly string[]).includes(name))
      throw new UsageError(
        `line ${number + 1} of ${file} is not NAME=VALUE with the name of a secret`,
        `the names are ${SECRETS.join(", ")}`,
      );
    found[name] = value;
  }
  return found;
}

async function readExisting(file: string, what: string): Promise<string> {
  const text = await readPrivateFile(file);
  if (text === null) throw new UsageError(`${file} does not exist`, `it is the file of ${what}`);
  return text;
}
