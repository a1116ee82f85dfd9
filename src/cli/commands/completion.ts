import { command, type Command } from "../command.ts";
import type { CommandGroup } from "../command-groups.ts";
import { bashCompletion } from "../completion/bash.ts";
import { completionTable, type Completed } from "../completion/completion-table.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";

const SHELLS: Readonly<Record<string, (table: readonly Completed[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Prints a script by which a shell completes command lines. */
export const completionFor = (groups: () => readonly CommandGroup[]): Command =>
  command({
    usage: `completion ${Object.keys(SHELLS).join(" | ")}`,
    summary: "print a script that completes commands and options in a shell",
    details: [
      ["bash", "load it with: source <(muster completion bash)"],
      ["zsh", "write it to the file _muster in a folder of $fpath"],
      ["fish", "write it to ~/.config/fish/completions/muster.fish"],
      ["--json", "print JSON, with the script as a text"],
    ],
    examples: ["completion bash > ~/.local/share/bash-completion/completions/muster"],
    options: { json: { type: "boolean" } },
    arguments: ["SHELL"],
    run: (values, [shell = ""]) => {
      const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (script === undefined)
        throw new UsageError(
          `SHELL must be one of ${Object.keys(SHELLS).join(", ")}, not "${shell}"`,
        );
      const text = script(completionTable(groups())).trimEnd();
      if (values.json === true) printJson({ shell, script: text });
      else print(text.split("\n"));
      return Promise.resolve(0);
    },
  });
