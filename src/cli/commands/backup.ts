import type { Details } from "../args.ts";
import { command } from "../command.ts";
import { withSqlite } from "../backup/needs-sqlite.ts";
import { OPENER_DETAILS, OPENER_OPTIONS, openerOf, sealToOf } from "../backup/opener.ts";
import { printSummary } from "../backup/shown-summary.ts";
import { quotedCommand, usageLine } from "../command-name.ts";
import { Failure, UsageError } from "../failure.ts";
import { note } from "../output.ts";
import { defaultFolder } from "../state-folder.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "backup --out FILE [OPTION]... | backup --verify FILE [OPTION]...";

const OWN_DETAILS: Details = [
  ["--out FILE", "the new file, which only its owner can read; no file is overwritten"],
  ["--verify FILE", "check a backup whole, and show what is in it"],
  ["--to PUBLIC_KEY", "seal the backup to this key of `muster keygen`; may be repeated"],
  ...OPENER_DETAILS,
  [
    "--no-secrets",
    "leave the mesh's secrets out of a sealed backup; one that is not sealed never has them",
  ],
  [
    "--url URL",
    "back up the mesh at this URL by HTTP; default: that of the state folder, from its files",
  ],
];

const OPTIONS = {
  ...TARGET_OPTIONS,
  ...OPENER_OPTIONS,
  out: { type: "string" },
  verify: { type: "string" },
  to: { type: "string", multiple: true, default: [] as string[] },
  "no-secrets": { type: "boolean", default: false },
} as const;

/** Makes a backup of a mesh, or checks one. */
export const backup = command({
  usage,
  summary: "back up a mesh into one file while it runs; check such a file with --verify",
  details: [...OWN_DETAILS, ...TARGET_DETAILS.filter(([option]) => option !== "--url URL")],
  examples: [
    "backup --out mesh.backup --to PUBLIC_KEY",
    "backup --verify mesh.backup --key-file key.json",
  ],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const { out, verify, json = false, url } = values;
    if (verify !== undefined) {
      if (out !== undefined) throw new UsageError("--out and --verify exclude each other");
      await verifyFile(verify, values);
      return 0;
    }
    if (out === undefined) throw new UsageError("--out is missing", usageLine(usage));
    const making = await withSqlite(() => import("../backup/make-backup.ts"));
    const sealTo = await sealToOf(values, values.to);
    const made =
      url === undefined
        ? await making.backUpFolder(values.dir ?? defaultFolder(), {
            out,
            sealTo,
            secrets: !values["no-secrets"],
          })
        : await making.saveExport(await (await controllerOf(values)).settings.exportMesh(), {
            out,
            sealTo,
          });
    printSummary({ file: out, sealed: sealTo !== null, ...made }, json);
    if (made.manifest.secrets === null)
      note(
        `the secrets of the mesh are not in the backup: keep a copy of them, ${quotedCommand("restore")} needs them`,
      );
    return 0;
  },
});

async function verifyFile(
  file: string,
  values: Parameters<typeof openerOf>[0] & { readonly json?: boolean },
): Promise<void> {
  const { readBackupFile, NO_TARGET } = await import("../backup/backup-file.ts");
  const opener = await openerOf(values);
  const opened = await readBackupFile(file, NO_TARGET, opener);
  if (opener !== null && !opened.sealed)
    throw new Failure(
      `${file} is a whole backup, and it is not sealed: nobody needs a passphrase or a key to read it`,
      "check it without --passphrase-file and --key-file, or make a sealed one",
    );
  printSummary({ file, ...opened }, values.json ?? false);
}
