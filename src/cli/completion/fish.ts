import { PACKAGE } from "../command-name.ts";
import type { Completed } from "./completion-table.ts";
import { NPX_NAMES } from "./names.ts";

/** The completion for fish: one rule for each word that may come next. */
export function fishCompletion(table: readonly Completed[]): string {
  const commands = table.filter(({ name }) => !name.includes(" "));
  return `# Completion of muster for fish. Write it to: ~/.config/fish/completions/muster.fish
function __muster_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end

# Whether the command is given, and after it an action, which is one of the words after the second argument of this function.
function __muster_action
    __muster_command $argv[1]; or return 1
    set -l words (commandline -opc)
    for word in $words[3..-1]
        if contains -- $word $argv[3..-1]
            test "$word" = $argv[2]
            return
        end
    end
    test -z $argv[2]
end

complete -c muster -f
${commands.map(({ name, summary }) => `complete -c muster -n 'test (count (commandline -opc)) -eq 1' -a ${name} -d ${quoted(summary)}`).join("\n")}
complete -c muster -n 'test (count (commandline -opc)) -eq 1' -l version -s V -d 'print the version'
${table.flatMap((each) => rulesOf(each, table)).join("\n")}

# Behind npx the program is the first word that is no option: prints the words after it, or fails if npx runs another program.
function __muster_npx_words
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]; and string match -q -- '-*' $words[1]
        set -e words[1]
    end
    contains -- "$words[1]" ${NPX_NAMES.join(" ")}; or return 1
    for word in $words[2..-1]
        string escape -- $word
    end
end

function __muster_npx_complete
    set -l current (commandline -ct)
    set -l words muster (__muster_npx_words) "$current"
    complete -C "$words"
end

complete -c npx -n 'not __muster_npx_words > /dev/null' -a ${PACKAGE} -d 'Muster'
complete -c npx -n '__muster_npx_words > /dev/null' -f -a '(__muster_npx_complete)'
`;
}

function rulesOf(completed: Completed, table: readonly Completed[]): readonly string[] {
  const [command = "", action = ""] = completed.name.split(" ");
  const words = table.find(({ name }) => name === command)?.next.map(([word]) => word) ?? [];
  const hasActions = command !== "help" && words.length > 0;
  const condition = hasActions
    ? `__muster_action ${command} ${action === "" ? '""' : action} ${words.join(" ")}`
    : `__muster_command ${command}`;
  const rule = (rest: string): string => `complete -c muster -n ${quoted(condition)} ${rest}`;
  return [
    ...completed.next.map(([word, meaning]) => rule(`-a ${word} -d ${quoted(meaning)}`)),
    ...completed.options.map(({ name, value }) =>
      rule(`-l ${name.slice(2)}${value === null ? "" : value === "text" ? " -x" : " -r -F"}`),
    ),
    ...(completed.takesFile ? [rule("-F")] : []),
  ];
}

const quoted = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
