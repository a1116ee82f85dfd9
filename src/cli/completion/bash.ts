import { commandName, PACKAGE } from "../command-name.ts";
import type { Completed } from "./completion-table.ts";
import { NPX_NAMES } from "./names.ts";

/** The completion for bash: a function that looks the command and the action up in a table. */
export function bashCompletion(table: readonly Completed[]): string {
  const commands = table.filter(({ name }) => !name.includes(" ")).map(({ name }) => name);
  return `# Completion of muster for bash. Load it with: source <(${commandName()} completion bash)
_muster() {
  [[ \${COMP_WORDS[0]##*/} != npx ]] || { _muster_npx; return; }
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local IFS=$' \\t\\n' options= files= folders= values= next= argument= name= index
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commands.join(" ")} --help --version" -- "$cur"))
    return
  fi
  # bash breaks --option=value at the equals sign.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  _muster_table "\${COMP_WORDS[1]}"
  name=\${COMP_WORDS[1]}
  for ((index = 2; index < COMP_CWORD; index++)); do
    if [[ " $next " == *" \${COMP_WORDS[index]} "* ]]; then
      name="\${COMP_WORDS[1]} \${COMP_WORDS[index]}"
      break
    fi
  done
  _muster_table "$name"
  if [[ " $files " == *" $prev "* ]]; then
    compopt -o filenames 2> /dev/null
    IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ " $folders " == *" $prev "* ]]; then
    compopt -o filenames 2> /dev/null
    IFS=$'\\n'
    COMPREPLY=($(compgen -d -- "$cur"))
  elif [[ " $values " == *" $prev "* ]]; then
    :
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$next" -- "$cur"))
    if [[ -n $argument ]]; then
      compopt -o filenames 2> /dev/null
      IFS=$'\\n'
      COMPREPLY+=($(compgen -f -- "$cur"))
    fi
  fi
}

# Sets what is known of a command or an action: its options, those with a value, and the next words.
_muster_table() {
  options= files= folders= values= next= argument=
  case $1 in
${table.map(caseOf).join("\n")}
  esac
}

# Behind npx the program is the first word that is no option. What else npx runs is completed as bash does it.
_muster_npx() {
  local index=1 words
  while ((index < COMP_CWORD)) && [[ \${COMP_WORDS[index]} == -* ]]; do ((index += 1)); done
  case \${COMP_WORDS[index]} in
    ${NPX_NAMES.join("|")})
      if ((index < COMP_CWORD)); then
        words=(muster "\${COMP_WORDS[@]:index+1}")
        local COMP_CWORD=$((COMP_CWORD - index)) COMP_WORDS=("\${words[@]}")
        _muster
        return
      fi ;;
  esac
  COMPREPLY=()
  if ((index == COMP_CWORD)); then COMPREPLY=($(compgen -W "${PACKAGE}" -- "\${COMP_WORDS[index]}")); fi
  compopt -o bashdefault -o default 2> /dev/null || :
}

complete -F _muster muster
# A completion of npx that is there already stays.
complete -p npx > /dev/null 2>&1 || complete -F _muster npx
`;
}

function caseOf({ name, options, next, takesFile }: Completed): string {
  const of = (kind: string): string =>
    options
      .filter(({ value }) => value === kind)
      .map((option) => option.name)
      .join(" ");
  const lines = [
    `options="${options.map((option) => option.name).join(" ")}"`,
    ...(["file", "folder", "text"] as const).map((kind, index) => {
      const variable = ["files", "folders", "values"][index];
      return of(kind) === "" ? "" : `${variable}="${of(kind)}"`;
    }),
    next.length === 0 ? "" : `next="${next.map(([word]) => word).join(" ")}"`,
    takesFile ? "argument=1" : "",
  ].filter((each) => each !== "");
  return `    "${name}") ${lines.join("; ")} ;;`;
}
