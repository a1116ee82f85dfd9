import { ConfigVariables } from "../../durable/config-variables.ts";
import { badSecret, type Secrets } from "../../src/cli/secrets-file.ts";
import { SECRETS, type SecretSetting } from "../../src/cli/settings/secret-settings.ts";
import type { Setting } from "../../src/cli/settings/settings-table.ts";
import { UsageError } from "../../src/cli/failure.ts";
import { settingFault, type GivenSetting } from "./given-settings.ts";

/** What the Worker says against a value; null if it takes it. The text follows the name of a setting and has no part of the value. */
function faultOf(name: string, value: string): string | null {
  const schema = ConfigVariables.shape[name as keyof typeof ConfigVariables.shape];
  return schema.safeParse(value).error?.issues[0]?.message ?? null;
}

/** Refuses a value that the Worker would refuse, before anything starts. */
export function checkWorkerSetting({ name, allowed }: Setting, given: GivenSetting): void {
  const fault = faultOf(name, given.value);
  if (fault === null) return;
  const shown = name === "ALERT_WEBHOOKS" ? { ...given, value: hostsOf(given.value) } : given;
  throw settingFault(shown, allowed, reasonIn(fault));
}

/** A list of URLs without users, paths and queries: those of webhooks are often secrets. */
const hostsOf = (list: string): string =>
  list
    .split(",")
    .map((url) => url.replace(/^(\s*(?:[a-z]+:\/\/)?)(?:[^/?#]*@)?([^/?#]*)[^]*$/i, "$1$2"))
    .join(",");

/** Of a list, and of a public URL, the Worker says what is wrong with it; of others that is what is allowed, once more. */
function reasonIn(fault: string): string | undefined {
  const [, reason] = / (?:https:\/\/mesh\.example): (.*)/.exec(fault) ?? [];
  if (reason !== undefined) return reason;
  if (!/entry|entries/.test(fault)) return undefined;
  // What is wrong with one entry is a sentence of its own: "entry 1 is empty".
  return fault.startsWith("entry ") ? fault : `it ${fault}`;
}

/** The same of a secret, whose value no error shows. */
export function checkSecret(name: SecretSetting, value: string, source: string): void {
  const fault = faultOf(name, value);
  if (fault !== null) throw new UsageError(`${source}: the secret ${name} ${fault}`);
}

/** The same for the secrets in the folder of a mesh. A fault in the folder is not a usage error. */
export function checkFolderSecrets(secrets: Secrets, file: string): void {
  for (const name of SECRETS) {
    const value = secrets[name];
    const fault = value === undefined ? null : faultOf(name, value);
    if (fault !== null) throw badSecret(file, name, fault);
  }
}
