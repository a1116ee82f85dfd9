import { readArgs, type Command } from "../args.ts";
import { withSqlite } from "../backup/needs-sqlite.ts";
import { print, printJson } from "../output.ts";
import { STATE_FOLDER } from "../state-folder.ts";

const usage = "state-hash [--dir FOLDER]";

/** Prints the hash of a mesh's state. */
export const stateHash: Command = {
  usage,
  summary:
    "print a hash of the state of this folder's mesh: equal before a backup and after its restore",
  details: [
    ["--dir FOLDER", `the state folder of \`muster start\`; default: ${STATE_FOLDER}`],
    ["--json", "print JSON"],
  ],
  run: async (argv) => {
    const options = {
      dir: { type: "string", default: STATE_FOLDER },
      json: { type: "boolean", default: false },
    } as const;
    const { values } = readArgs(argv, options, { min: 0, max: 0, usage });
    const { hashFolder } = await withSqlite(() => import("../backup/make-backup.ts"));
    const state = await hashFolder(values.dir);
    if (values.json) printJson(state);
    else print(state.state_hash);
    return 0;
  },
};
