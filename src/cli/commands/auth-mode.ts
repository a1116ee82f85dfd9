import { AUTH_MODES } from "../../protocol/http.ts";
import type { Values } from "../args.ts";
import { command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

/** Shows or sets who may join; as a command, and as an action of `mesh`. */
export const AUTH_MODE = {
  usage: "auth-mode [MODE]",
  summary: "show or set who may join; a change to allowlist ends the sessions of other peers",
  details: [
    ["allowlist", "MODE: only listed keys and holders of a join key"],
    ["open", "MODE: any peer, which then reads the payloads of the tasks that it gets"],
  ],
  options: {},
  arguments: ["[MODE]"],
  run: async (values: Values<typeof TARGET_OPTIONS>, [word]: readonly string[]) => {
    const chosen = AUTH_MODES.find((each) => each === word);
    if (word !== undefined && chosen === undefined)
      throw new UsageError(`MODE must be one of ${AUTH_MODES.join(", ")}, not "${word}"`);
    const { settings } = await controllerOf(values);
    const mode =
      chosen === undefined ? await settings.authMode() : await settings.setAuthMode(chosen);
    if (values.json === true) printJson({ mode });
    else print(mode);
    return 0;
  },
} as const;

export const authMode = command({
  ...AUTH_MODE,
  details: [...AUTH_MODE.details, ...TARGET_DETAILS],
  examples: ["auth-mode", "auth-mode allowlist"],
  options: TARGET_OPTIONS,
});
