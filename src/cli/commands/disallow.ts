import { readArgs, type Command } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "disallow PUBLIC_KEY";

/** Removes a key from the allowlist. */
export const disallow: Command = {
  usage,
  summary: "remove a public key from the allowlist; ends its session unless the mesh is open",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 1, usage });
    const key = String(positionals[0]);
    await (await controllerOf(values)).allowlist.remove(key);
    if (values.json === true) printJson({ public_key: key, allowed: false });
    else print("removed from the allowlist");
    return 0;
  },
};
