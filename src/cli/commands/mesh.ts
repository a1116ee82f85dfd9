import { readArgs, type Command } from "../args.ts";
import { printable, print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "mesh";

/** Prints the name and keys of a mesh. */
export const mesh: Command = {
  usage,
  summary: "show the name and keys of the mesh",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values } = readArgs(argv, TARGET_OPTIONS, { min: 0, max: 0, usage });
    const view = await (await controllerOf(values)).settings.mesh();
    if (values.json === true) printJson(view);
    else {
      print(`name           ${printable(view.name)}`);
      print(`mesh key       ${view.public_key}`);
      print(`ID             ${view.id}`);
      print(`discovery key  ${view.discovery_key}`);
      print(`signing key    ${view.signing_key}`);
      print(`protocols      ${view.protocols.join(", ")}`);
    }
    return 0;
  },
};
