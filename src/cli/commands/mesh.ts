import { numberOption, readArgs, type Command } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "mesh [drain [--pause SECONDS]]";

/** Prints the name and keys of a mesh, or drains it before a restart. */
export const mesh: Command = {
  usage,
  summary: "show the name and keys of the mesh; drain it before a restart",
  details: [
    ["drain", "end all sessions; the peers go on with what they run and come back in their order"],
    ["  --pause SECONDS", "how long they wait before that; default: 0"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = { ...TARGET_OPTIONS, pause: { type: "string" } } as const;
    const { values, positionals } = readArgs(argv, options, { min: 0, max: 1, usage });
    const [action] = positionals;
    const pauseSeconds = numberOption("pause", values.pause);
    const { settings } = await controllerOf(values);
    if (action === "drain") {
      const sessions = await settings.drain(pauseSeconds === undefined ? {} : { pauseSeconds });
      if (values.json === true) printJson({ sessions });
      else print(`ended ${sessions} ${sessions === 1 ? "session" : "sessions"}`);
      return 0;
    }
    if (action !== undefined || pauseSeconds !== undefined)
      throw new UsageError(
        action === undefined ? "--pause is an option of drain" : `unknown action "${action}"`,
        `usage: muster ${usage}`,
      );
    const view = await settings.mesh();
    if (values.json === true) printJson(view);
    else {
      print(`name           ${view.name}`);
      print(`mesh key       ${view.public_key}`);
      print(`ID             ${view.id}`);
      print(`discovery key  ${view.discovery_key}`);
      print(`signing key    ${view.signing_key}`);
      print(`protocols      ${view.protocols.join(", ")}`);
    }
    return 0;
  },
};
