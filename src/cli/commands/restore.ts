import { command } from "../command.ts";
import { withSqlite } from "../backup/needs-sqlite.ts";
import { OPENER_DETAILS, OPENER_OPTIONS, openerOf } from "../backup/opener.ts";
import { printSummary } from "../backup/shown-summary.ts";
import { quotedCommand } from "../command-name.ts";
import { note } from "../output.ts";
import { STATE_FOLDER } from "../state-folder.ts";

const usage =
  "restore FILE [--dir FOLDER] [--secrets-file FILE] [--passphrase-file FILE | --key-file FILE]";

const OPTIONS = {
  ...OPENER_OPTIONS,
  dir: { type: "string", default: STATE_FOLDER },
  "secrets-file": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** Makes a mesh's folder from a backup. */
export const restore = command({
  usage,
  summary: "make the state folder of a mesh from a backup, in an empty folder",
  details: [
    ["--dir FOLDER", `the folder, which is empty or does not exist; default: ${STATE_FOLDER}`],
    [
      "--secrets-file FILE",
      "the secrets of the mesh, if the backup does not have them; - reads stdin",
    ],
    ...OPENER_DETAILS,
    ["--json", "print JSON"],
  ],
  examples: ["restore mesh.backup --dir restored --key-file key.json"],
  options: OPTIONS,
  arguments: ["FILE"],
  run: async (values, positionals) => {
    const [file = ""] = positionals;
    const { dir, json } = values;
    const restoring = await withSqlite(() => import("../backup/restored-folder.ts"));
    const restored = await restoring.restoreFolder({
      file,
      dir,
      opener: await openerOf(values),
      secretsFile: values["secrets-file"],
    });
    printSummary({ file, ...restored }, json);
    note(
      `restored into ${dir}; ${quotedCommand(`serve --dir ${dir}`)} runs the mesh, or ${quotedCommand(`start --dir ${dir}`)} if that is how it ran`,
    );
    note(
      "what was revoked, rotated or removed after the backup must be revoked, rotated or removed again",
    );
    return 0;
  },
});
