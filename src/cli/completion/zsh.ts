import { commandName, PACKAGE } from "../command-name.ts";
import type { Completed } from "./completion-table.ts";
import { NPX_NAMES } from "./names.ts";

/** The completion for zsh, with the meaning of each word. */
export function zshCompletion(table: readonly Completed[]): string {
  const commands = table
    .filter(({ name }) => !name.includes(" "))
    .map(({ name, summary }) => [name, summary] as const);
  return `#compdef muster npx
# Completion of muster for zsh. Write it to a folder of $fpath: ${commandName()} completion zsh > FOLDER/_muster
_muster() {
  if [[ \${words[1]:t} == npx ]]; then _muster_npx; return; fi
  local name=\${words[2]} previous=\${words[CURRENT-1]} current=\${words[CURRENT]} word argument=
  local -a options files folders values next
  if (( CURRENT == 2 )); then
    next=(${described(commands)})
    _describe command next
    return
  fi
  _muster_table "$name"
  for word in "\${(@)words[3,CURRENT-1]}"; do
    if (( \${next[(I)\${(b)word}:*]} )); then
      name="\${words[2]} $word"
      break
    fi
  done
  _muster_table "$name"
  if (( \${files[(Ie)$previous]} )); then _files
  elif (( \${folders[(Ie)$previous]} )); then _files -/
  elif (( \${values[(Ie)$previous]} )); then _message value
  elif [[ $current == -* ]]; then compadd -- $options
  else
    (( \${#next} )) && _describe action next
    [[ -n $argument ]] && _files
  fi
}

# Sets what is known of a command or an action: its options, those with a value, and the next words.
_muster_table() {
  options=() files=() folders=() values=() next=() argument=
  case $1 in
${table.map(caseOf).join("\n")}
  esac
}

# Behind npx the program is the first word that is no option. What else npx runs is completed as zsh does it.
_muster_npx() {
  local -i index=2
  while (( index < CURRENT )) && [[ \${words[index]} == -* ]]; do (( index += 1 )); done
  if (( index < CURRENT )) && [[ \${words[index]} == (${NPX_NAMES.join("|")}) ]]; then
    words=(muster "\${(@)words[index+1,-1]}")
    (( CURRENT -= index - 1 ))
    _muster
    return
  fi
  (( index < CURRENT )) || compadd -- ${PACKAGE}
  _default
}

if [[ \${funcstack[1]} == _muster ]]; then _muster "$@"
else
  compdef _muster muster
  # A completion of npx that is there already stays.
  (( \${+_comps[npx]} )) || compdef _muster npx
fi
`;
}

function caseOf({ name, options, next, takesFile }: Completed): string {
  const of = (kind: string | null): string =>
    options
      .filter(({ value }) => kind === null || value === kind)
      .map((option) => option.name)
      .join(" ");
  const lines = [
    `options=(${of(null)})`,
    `files=(${of("file")})`,
    `folders=(${of("folder")})`,
    `values=(${of("text")})`,
    next.length === 0 ? "" : `next=(${described(next)})`,
    takesFile ? "argument=1" : "",
  ].filter((each) => each !== "" && !each.endsWith("=()"));
  return `    "${name}") ${lines.join("; ")} ;;`;
}

const described = (words: Completed["next"]): string =>
  words.map(([word, meaning]) => quoted(`${word}:${meaning}`)).join(" ");

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
