import { command } from "../command.ts";
import { publicKey } from "../identifiers.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "disallow PUBLIC_KEY";

/** Removes a key from the allowlist. */
export const disallow = command({
  usage,
  summary: "remove a public key from the allowlist; ends its session unless the mesh is open",
  details: TARGET_DETAILS,
  examples: ["disallow PUBLIC_KEY"],
  options: TARGET_OPTIONS,
  arguments: ["PUBLIC_KEY"],
  run: async (values, [word = ""]) => {
    const key = publicKey(word, "PUBLIC_KEY");
    await (await controllerOf(values)).allowlist.remove(key);
    if (values.json === true) printJson({ public_key: key, allowed: false });
    else print("removed from the allowlist");
    return 0;
  },
});
