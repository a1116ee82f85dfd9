import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

/** Prints the alerts of a mesh. */
export const alerts = command({
  usage: "alerts",
  summary: "print the alerts that fire now",
  details: [...TARGET_DETAILS],
  examples: ["alerts", "alerts --json"],
  options: TARGET_OPTIONS,
  arguments: [],
  run: async (values) => {
    const mesh = await controllerOf(values);
    const firing = await mesh.alerts();
    if (values.json === true) printJson({ alerts: firing });
    else if (firing.length === 0) print("no alert fires");
    else print(firing.map(({ since, key, message }) => `${since}  ${key}  ${message}`));
    return 0;
  },
});
