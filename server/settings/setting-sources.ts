/** Where settings come from: flags, the environment and a TOML file. An unknown name is an error that says which one was probably meant. */
import { parse, TomlError, type TomlPrimitive } from "smol-toml";
import { nearestName } from "../../src/base/near-name.ts";
import { UsageError } from "../../src/cli/failure.ts";
import type { GivenSetting, GivenSettings } from "./given-settings.ts";
import { SECRETS, secretFileSetting } from "../../src/cli/settings/secret-settings.ts";
import { SETTINGS } from "../../src/cli/settings/settings-table.ts";

/** What may be set anywhere: a secret only by the file that has it. */
const KNOWN = [...SETTINGS, ...SECRETS.map(secretFileSetting)];
const FLAGS = new Map(KNOWN.map(({ name, flag }) => [name, flag]));
const BY_KEY = new Map(KNOWN.map(({ name, flag }) => [flag.replaceAll("-", "_"), name]));
const SECRET_BY_KEY = new Map(SECRETS.map((secret) => [secret.toLowerCase(), secret]));
const NAMES: readonly string[] = [...KNOWN.map(({ name }) => name), ...SECRETS];
/** The same without `MUSTER_`: that all of them share those letters makes no two of them alike. */
const BY_BARE_NAME = new Map(NAMES.map((name) => [name.replace(/^MUSTER_/, ""), name]));
/** `MASTER_PORT` and others are variables of other programs: only names without `MUSTER_` are meant by a variable without it. */
const WITHOUT_PREFIX = NAMES.filter((name) => !name.startsWith("MUSTER_"));

/** Variables of the environment that begin with `MUSTER_` and are no settings of a mesh. */
const OTHERS =
  /^MUSTER_(?:URL|TOKEN|JOIN_KEY|LINK|WEBHOOK_SECRET|TASK_[A-Z]+|PROGRESS\w*|TEST_\w+|BENCH_\w+)$/;
/** A shorter name could be a word of somebody else's, by chance near to one of ours. */
const RESEMBLING_CHARS_MIN = 8;

/** The settings that are given as flags, by the names of the settings. `flagNames` has what the user wrote in place of a setting's own flag. */
export const fromFlags = (
  flags: Readonly<Record<string, string>>,
  flagNames: Readonly<Record<string, string>> = {},
): GivenSettings =>
  Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name,
      { value, source: flagNames[name] ?? `--${FLAGS.get(name) ?? name}` },
    ]),
  );

/** The settings in the environment. An empty variable counts as not set. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): GivenSettings {
  const found: Record<string, GivenSetting> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === "") continue;
    if (NAMES.includes(name)) found[name] = { value, source: `the variable ${name}` };
    else refuseUnknownVariable(name);
  }
  return found;
}

/** Of the many variables of an environment, those that begin with `MUSTER_`, or resemble a setting, are meant for us. */
function refuseUnknownVariable(name: string): void {
  if (OTHERS.test(name)) return;
  const isOurs = name.startsWith("MUSTER_");
  if (!isOurs && name.length < RESEMBLING_CHARS_MIN) return;
  const near = isOurs
    ? (BY_BARE_NAME.get(nearestName(name.slice("MUSTER_".length), BY_BARE_NAME.keys()) ?? "") ??
      null)
    : nearestName(name, WITHOUT_PREFIX);
  if (near === null && !isOurs) return;
  throw new UsageError(
    `the variable ${name} of the environment is no setting${near === null ? "" : `, did you mean ${near}?`}`,
    `unset it, or see docs/configuration.md`,
  );
}

/** The settings in a TOML file: keys without tables, in the names of the flags with `_`. */
export function fromToml(text: string, file: string): GivenSettings {
  const found: Record<string, GivenSetting> = {};
  for (const [key, value] of Object.entries(parsed(text, file))) {
    const name = BY_KEY.get(key);
    const line = lineOf(key, text);
    const place = line === null ? file : `line ${line} of ${file}`;
    if (name === undefined) throw unknownKey(key, place);
    const source = `${key} in ${place}`;
    if (name === "MUSTER_CONFIG")
      throw new UsageError(
        `${source} has no effect: the file that says it is read already`,
        "leave it out",
      );
    found[name] = { value: settingText(value, source), source };
  }
  return found;
}

/**
 * The number of the line that sets a key; null if it is not found, as of a key in a table. A line inside a text of several lines may look the same:
 * what stands before the right one is a whole document.
 */
function lineOf(key: string, text: string): number | null {
  const lines = text.split("\n");
  const index = lines.findIndex((line, at) => {
    const [, quoted, bare] = /^\s*\[?\s*(?:["']([^"']*)["']|([\w-]+))\s*[=.\]]/.exec(line) ?? [];
    return (quoted ?? bare) === key && isDocument(lines.slice(0, at).join("\n"));
  });
  return index === -1 ? null : index + 1;
}

function isDocument(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

function parsed(text: string, file: string): Record<string, TomlPrimitive> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ""] = error.message.split("\n");
    throw new UsageError(
      `${file} is no TOML: line ${error.line}: ${reason.replace(/^Invalid TOML document: /, "")}`,
    );
  }
}

function unknownKey(key: string, place: string): UsageError {
  const secret = SECRET_BY_KEY.get(key);
  if (secret !== undefined)
    return new UsageError(
      `${place} has the secret ${key}`,
      `write the name of a file that has it: ${key}_file = "FILE"`,
    );
  const near = nearestName(key, BY_KEY.keys());
  const question = near === null ? "" : `, did you mean ${near}?`;
  return new UsageError(
    `${place} has the unknown key ${key}${question}`,
    "see docs/configuration.md",
  );
}

/** A list is written with commas in the environment. */
function settingText(value: TomlPrimitive, source: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each === "string"))
    return value.join(",");
  throw new UsageError(
    `${source} is neither a text, a number, a boolean nor a list of texts`,
    "see docs/configuration.md",
  );
}
