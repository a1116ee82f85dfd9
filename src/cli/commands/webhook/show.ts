import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";
import { sourceLines } from "../../webhooks/source-text.ts";
import { sourceUrl } from "../../webhooks/source-url.ts";

/** Shows one webhook source. */
export const show = action({
  usage: "show NAME",
  summary: "show a source and its URL, without its secrets",
  options: {},
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const source = await (await controllerOf(values)).webhooks.get(name);
    const url = await sourceUrl(values, name);
    if (values.json === true) printJson({ ...source, url });
    else print(sourceLines(source, url));
    return 0;
  },
});
