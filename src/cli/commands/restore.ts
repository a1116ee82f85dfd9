import type { Values } from "../args.ts";
import type { OpenedBackup } from "../backup/backup-file.ts";
import { command } from "../command.ts";
import { withSqlite } from "../backup/needs-sqlite.ts";
import { OPENER_DETAILS, OPENER_OPTIONS, openerOf } from "../backup/opener.ts";
import { printSummary } from "../backup/shown-summary.ts";
import { quotedCommand } from "../command-name.ts";
import { UsageError } from "../failure.ts";
import { note } from "../output.ts";
import { defaultFolder, FOLDER_DEFAULT } from "../state-folder.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "restore FILE [--dir FOLDER | --url URL] [--secrets-file FILE] [OPTION]...";

const OPTIONS = {
  ...TARGET_OPTIONS,
  ...OPENER_OPTIONS,
  "secrets-file": { type: "string" },
} as const;

type RestoreValues = Values<typeof OPTIONS>;

/** Makes a mesh's folder from a backup, or restores it into an empty mesh over HTTP. */
export const restore = command({
  usage,
  summary: "restore a backup into an empty folder, or into the empty mesh at a URL",
  details: [
    ["--dir FOLDER", `the folder, which is empty or does not exist; ${FOLDER_DEFAULT}`],
    [
      "--secrets-file FILE",
      "the secrets of the mesh, if the backup does not have them; - reads stdin",
    ],
    [
      "--url URL",
      "restore into the empty mesh at this URL, which has the secrets; run again, it continues",
    ],
    ...OPENER_DETAILS,
    ...TARGET_DETAILS.filter(([option]) => !/^--(?:url|dir) /.test(option)),
  ],
  examples: [
    "restore mesh.backup --dir restored --key-file key.json",
    "restore mesh.backup --url https://mesh.example --token-file admin.token",
  ],
  options: OPTIONS,
  arguments: ["FILE"],
  run: async (values, positionals) => {
    const [file = ""] = positionals;
    const restored =
      values.url === undefined ? await intoFolder(file, values) : await intoMesh(file, values);
    printSummary({ file, ...restored }, values.json ?? false);
    for (const text of checksAfter(restored.manifest)) note(text);
    return 0;
  },
});

async function intoFolder(file: string, values: RestoreValues): Promise<OpenedBackup> {
  const { dir = defaultFolder(), token, "token-file": tokenFile } = values;
  if (token !== undefined || tokenFile !== undefined)
    throw new UsageError("a token is for a restore with --url", "pass --url too, or no token");
  const restoring = await withSqlite(() => import("../backup/restored-folder.ts"));
  const restored = await restoring.restoreFolder({
    file,
    dir,
    opener: await openerOf(values),
    secretsFile: values["secrets-file"],
  });
  note(
    `restored into ${dir}; ${quotedCommand(`serve --dir ${dir}`)} runs the mesh, or ${quotedCommand(`start --dir ${dir}`)} if that is how it ran`,
  );
  return restored;
}

async function intoMesh(file: string, values: RestoreValues): Promise<OpenedBackup> {
  if (values["secrets-file"] !== undefined || values.dir !== undefined)
    throw new UsageError(
      "--url excludes --dir and --secrets-file",
      "the mesh at the URL has its secrets already: set them there before",
    );
  const { importIntoMesh } = await import("../backup/import-mesh.ts");
  const opener = await openerOf(values);
  let tenths = 0;
  const restored = await importIntoMesh(await controllerOf(values), {
    file,
    opener,
    onPart(sent, of) {
      if (Math.floor((sent * 10) / of) === tenths) return;
      tenths = Math.floor((sent * 10) / of);
      note(`sent ${sent} of ${of} parts`);
    },
  });
  note(`restored into the mesh at ${values.url}`);
  return restored;
}

/** What the backup can't know: what was taken away after it was made is there again. */
const checksAfter = ({ created_at: at }: OpenedBackup["manifest"]): readonly string[] => [
  `the mesh is as it was at ${at}; check what has changed since, and do it again:`,
  "- peers, API tokens and join keys that were revoked since are valid again",
  "- callback secrets that were rotated since are the earlier ones: receivers need those, or a new rotation",
  "- secrets of webhook sources that were changed since are the earlier ones",
];
