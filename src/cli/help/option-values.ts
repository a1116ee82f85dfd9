import type { Details } from "../args.ts";

/** What the value of an option is, as far as a shell can complete it. */
export type ValueKind = "file" | "folder" | "text";

/** Read from the word that stands for the value in the help text: `--key-file FILE`. */
export function kindOfValue(option: string, details: Details): ValueKind {
  const shown = details.find(([left]) => left.trim().split(/[ =]/, 1)[0] === `--${option}`)?.[0];
  if (shown?.endsWith(" FILE") === true) return "file";
  return shown?.endsWith(" FOLDER") === true ? "folder" : "text";
}
