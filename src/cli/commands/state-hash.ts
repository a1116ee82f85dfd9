import { command } from "../command.ts";
import { withSqlite } from "../backup/needs-sqlite.ts";
import { print, printJson } from "../output.ts";
import { defaultFolder, FOLDER_DEFAULT } from "../state-folder.ts";

const usage = "state-hash [--dir FOLDER]";

const OPTIONS = {
  dir: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** Prints the hash of a mesh's state. */
export const stateHash = command({
  usage,
  summary:
    "print a hash of the state of this folder's mesh: equal before a backup and after its restore",
  details: [
    ["--dir FOLDER", `the state folder of the mesh; ${FOLDER_DEFAULT}`],
    ["--json", "print JSON"],
  ],
  examples: ["state-hash --dir .muster"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const { hashFolder } = await withSqlite(() => import("../backup/make-backup.ts"));
    const state = await hashFolder(values.dir ?? defaultFolder());
    if (values.json) printJson(state);
    else print(state.state_hash);
    return 0;
  },
});
