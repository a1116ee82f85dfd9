import { fromHex, type Bytes } from "../../base/bytes.ts";
import type { OpenWith, SealTo } from "../../backup/sealed-backup.ts";
import type { Details } from "../args.ts";
import { quotedCommand } from "../command-name.ts";
import { UsageError } from "../failure.ts";
import { readKeyFile } from "../key-file.ts";
import { readSecret, secretDetails } from "../secrets.ts";

export const OPENER_OPTIONS = {
  "passphrase-file": { type: "string" },
  "key-file": { type: "string" },
} as const;

export const OPENER_DETAILS: Details = [
  ...secretDetails("passphrase", "the passphrase of a sealed backup"),
  ["--key-file FILE", "the key file that a backup is sealed to"],
];

interface OpenerValues {
  readonly "passphrase-file"?: string | undefined;
  readonly "key-file"?: string | undefined;
}

/** What opens the backup; null when nothing is given. */
export async function openerOf(values: OpenerValues): Promise<OpenWith | null> {
  const passphrase = await readSecret("passphrase", {
    value: undefined,
    file: values["passphrase-file"],
  });
  const keyFile = values["key-file"];
  if (keyFile !== undefined) return { privateKey: (await readKeyFile(keyFile)).keys.privateKey };
  return passphrase === undefined ? null : { passphrase };
}

/** To whom a new backup is sealed; null when it is not. */
export async function sealToOf(
  values: OpenerValues,
  publicKeys: readonly string[],
): Promise<SealTo | null> {
  if (publicKeys.length > 0) {
    if (values["passphrase-file"] !== undefined)
      throw new UsageError(
        "--to and --passphrase-file exclude each other",
        "a backup is sealed to keys, or under a passphrase",
      );
    return { publicKeys: publicKeys.map(publicKeyOf) };
  }
  const passphrase = await readSecret("passphrase", {
    value: undefined,
    file: values["passphrase-file"],
  });
  return passphrase === undefined ? null : { passphrase };
}

function publicKeyOf(text: string): Bytes {
  const key = fromHex(text);
  if (key?.length === 32) return key;
  throw new UsageError(
    `--to must be a public key of 64 hex characters, not "${text}"`,
    `${quotedCommand("keygen")} makes one, and prints the public key`,
  );
}
