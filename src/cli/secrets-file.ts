import { keyBytes } from "../protocol/ids.ts";
import { nearestName } from "../base/near-name.ts";
import { Failure } from "./failure.ts";
import { SECRETS, type SecretSetting } from "./settings/secret-settings.ts";

/** The four that every mesh has. */
export const SECRET_NAMES = [
  "ADMIN_TOKEN",
  "MESH_IDENTITY_KEY",
  "MESH_DISCOVERY_KEY",
  "MESH_SIGNING_KEY",
] as const satisfies readonly SecretSetting[];

/** The secrets of a mesh: those four, and the others that it was given. */
export type Secrets = { readonly [Name in (typeof SECRET_NAMES)[number]]: string } & {
  readonly [Name in SecretSetting]?: string;
};

/** What to do about a key that a mesh has already, and about its other secrets. */
const KEEP =
  "put the right one back, from a backup: with another key the mesh is another one, which its peers refuse";
const CORRECT = "correct it in that file";

/**
 * The secrets in a text of lines NAME=VALUE, as `secretsText` writes them, with comments and empty lines. `from` names the text in errors,
 * which show no line: it may be a secret.
 */
export function secretLinesIn(
  text: string,
  from: string,
): { readonly [Name in SecretSetting]?: string } {
  const found: Partial<Record<SecretSetting, string>> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const place = `line ${index + 1} of ${from}`;
    const [, word = "", value = ""] = /^([A-Z_]+)=(\S+)\s*$/.exec(line) ?? [];
    const name = SECRETS.find((secret) => secret === word);
    if (name === undefined) {
      const near = word === "" ? null : nearestName(word, SECRETS);
      const question = near === null ? "" : `, did you mean ${near}?`;
      throw new Failure(
        `${place} is not NAME=VALUE with the name of a secret${question}`,
        `the names are ${SECRETS.join(", ")}`,
      );
    }
    if (found[name] !== undefined)
      throw new Failure(`${place} has ${name}, which an earlier line has`, "leave one of them out");
    found[name] = value;
  }
  return found;
}

/** The secrets of a mesh in such a text: all that it needs, with keys that are keys. */
export function secretsIn(text: string, from: string): Secrets {
  const found = secretLinesIn(text, from);
  const missing = SECRET_NAMES.find((name) => found[name] === undefined);
  if (missing !== undefined)
    throw new Failure(`${from} lacks ${missing}`, "put the missing line back, from a backup");
  for (const name of SECRETS) {
    const value = found[name];
    if (/_KEY(?:_NEXT)?$/.test(name) && value !== undefined && keyBytes(value) === null)
      throw badSecret(from, name, "is not 32 bytes in hex or base64");
  }
  return found as Secrets;
}

/** The error about a secret that a mesh has in its folder. `fault` follows its name, and has nothing of its value. */
export const badSecret = (from: string, name: SecretSetting, fault: string): Failure =>
  new Failure(`${from}: the secret ${name} ${fault}`, name.endsWith("_KEY") ? KEEP : CORRECT);

export const secretLines = (secrets: Secrets): readonly string[] =>
  SECRETS.flatMap((name) => (secrets[name] === undefined ? [] : [`${name}=${secrets[name]}`]));

export const secretsText = (secrets: Secrets): string => `${secretLines(secrets).join("\n")}\n`;
