import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { version as versionOf } from "../version.ts";

/** Prints the version. */
export const version = command({
  usage: "version [--json]",
  summary: "print the version of this program",
  details: [["--json", "print JSON, with the version of Node, too"]],
  examples: ["version"],
  options: { json: { type: "boolean" } },
  arguments: [],
  run: (values) => {
    if (values.json === true)
      printJson({ version: versionOf(), node: process.versions.node, platform: process.platform });
    else print(versionOf());
    return Promise.resolve(0);
  },
});
