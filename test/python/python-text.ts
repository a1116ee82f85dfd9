/** Parts of modules of Python, as the formatter of the package has them. */

export const orNone = (type: string): string =>
  type === "Any" || type.endsWith("| None") ? type : `${type} | None`;

export function literals(values: readonly unknown[]): string {
  return `Literal[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
}

export function defaultOf(by: unknown): string {
  if (by === null) return "default=None";
  if (typeof by === "boolean") return by ? "default=True" : "default=False";
  if (Array.isArray(by)) return `default=${by.length === 0 ? "()" : tuple(by)}`;
  if (typeof by === "object") {
    const made = instance(by);
    return `${made.includes("\n") ? "\n        " : ""}default_factory=${made}`;
  }
  return `default=${JSON.stringify(by)}`;
}

const tuple = (items: readonly unknown[]): string =>
  `(${items.map((item) => JSON.stringify(item)).join(", ")},)`;

/** The defaults that are objects: limits that an older mesh does not have, requirements, and none. */
function instance(by: object): string {
  if ("max_waiting" in by)
    return "lambda: OwnerLimits(\n            weight=1, max_waiting=None, max_running=None, max_priority=None\n        )\n    ";
  return "capabilities" in by ? "Requirements" : "dict";
}

const LINE_MAX = 100;

/** A docstring: of a class in the form of one line and a body, of a field as it comes. */
export function docstring(text: string, indent: number): string {
  const space = " ".repeat(indent);
  const full = text.replaceAll("\\", String.raw`\\`).replace(/[^.!?:]$/, "$&.");
  if (full.length + indent + 6 <= LINE_MAX) return `${space}"""${full}"""\n`;
  const [, first = full, rest = ""] = /^(.*?[.:]) ([A-Z`].*)$/.exec(full) ?? [];
  const body = rest === "" ? "" : `\n\n${filled(rest, space)}`;
  return `${filled(`"""${first}`, space)}${body}\n${space}"""\n`;
}

function filled(text: string, space: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && space.length + line.length + 1 + word.length > LINE_MAX) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => space + line).join("\n");
}

/** A long list of literals, as the formatter of the package has it. */
export function wrapped(line: string): string {
  if (line.includes("\n    ") || line.length - 1 <= LINE_MAX) return line;
  const [, tupleName, inner] = /^( *\w+: tuple)\[(.*), \.\.\.\]\n$/.exec(line) ?? [];
  if (tupleName !== undefined) return `${tupleName}[\n        ${inner}, ...\n    ]\n`;
  const [, before, list = "", after] = /^( *\w+: Literal)\[(.*?)\](.*\n)$/.exec(line) ?? [];
  if (before === undefined) return line;
  return `${before}[\n${items(list, 8)}    ]${after}`;
}

const items = (list: string, indent: number): string =>
  list
    .split(", ")
    .map((item) => `${" ".repeat(indent)}${item},\n`)
    .join("");

export function aliasText(name: string, type: string): string {
  const line = `${name}: TypeAlias = ${type}\n`;
  if (line.length - 1 <= LINE_MAX) return line;
  const [, list] = /^Literal\[(.*)\]$/.exec(type) ?? [];
  if (list !== undefined) return `${name}: TypeAlias = Literal[\n${items(list, 4)}]\n`;
  return `${name}: TypeAlias = (\n    ${type}\n)\n`;
}
