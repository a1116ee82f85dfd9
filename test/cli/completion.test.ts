import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND_GROUPS } from "../../src/cli/commands/index.ts";
import { completionTable } from "../../src/cli/completion/completion-table.ts";
import { SETTING_OPTIONS } from "../../src/cli/settings/setting-flags.ts";
import { muster } from "./command-run.ts";

const TABLE = completionTable(COMMAND_GROUPS);
const COMMANDS = TABLE.filter(({ name }) => !name.includes(" ")).map(({ name }) => name);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "muster-completion-"));
  writeFileSync(join(folder, "key file.json"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Completes each command line, whose last word is incomplete, in one process of the shell. */
type Shell = (lines: readonly (readonly string[])[]) => Promise<readonly (readonly string[])[]>;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const marked = (output: string): readonly (readonly string[])[] =>
  output
    .split("#end\n")
    .slice(0, -1)
    .map((part) => part.split("\n").filter((word) => word !== ""));

async function scriptOf(shell: string): Promise<string> {
  const { out } = await muster("completion", shell);
  const path = join(folder, shell);
  writeFileSync(path, out);
  return path;
}

function run(shell: string, args: readonly string[], script: string): string {
  const path = join(folder, "run");
  writeFileSync(path, script);
  return execFileSync(shell, [...args, path], { encoding: "utf8", cwd: folder });
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: async (lines) => {
    const script = await scriptOf("bash");
    const calls = lines.map(
      (words) =>
        `COMP_WORDS=(${words.map(quoted).join(" ")}); COMP_CWORD=${words.length - 1}; _muster; printf '%s\\n' "\${COMPREPLY[@]}"; echo '#end'`,
    );
    return marked(run("bash", [], [`set -u; source ${script}`, ...calls].join("\n")));
  },
  zsh: async (lines) => {
    const script = await scriptOf("zsh");
    // What the completion system of zsh does with the words is its own: here it prints them.
    const stubs = [
      "compdef() { :; }",
      `_describe() { local -a all; all=("\${(@P)2}"); printf '%s\\n' "\${all[@]%%:*}" }`,
      `compadd() { shift; printf '%s\\n' "$@" }`,
      "_message() { :; }",
      "_default() { :; }",
      "typeset -A _comps",
      `_files() { if [[ \${1-} == -/ ]]; then printf '%s\\n' *(N/); else printf '%s\\n' *(N); fi }`,
    ];
    const calls = lines.map(
      (words) =>
        `words=(${words.map(quoted).join(" ")}); CURRENT=${words.length}; _muster; echo '#end'`,
    );
    return marked(run("zsh", ["-f"], [...stubs, `source ${script}`, ...calls].join("\n")));
  },
  fish: async (lines) => {
    const script = await scriptOf("fish");
    const calls = lines.map(
      (words) =>
        `complete -C ${quoted(words.map((word) => word.replaceAll(" ", "\\ ")).join(" "))} | string replace -r '\\t.*' ''; echo '#end'`,
    );
    return marked(run("fish", ["--no-config"], [`source ${script}`, ...calls].join("\n")));
  },
};

describe.each(Object.entries(SHELLS))("CL38 the completion for %s", (shell, complete) => {
  const isMissing = spawnSync(shell, ["--version"]).error !== undefined;
  const reason = isMissing ? ` (skipped: ${shell} is not installed)` : "";

  test.skipIf(isMissing)(`has every command, action and option${reason}`, async () => {
    const lines = [
      ["muster", ""],
      ...TABLE.filter(({ next }) => next.length > 0).map(({ name }) => [
        "muster",
        ...name.split(" "),
        "",
      ]),
      ...TABLE.map(({ name }) => ["muster", ...name.split(" "), "--"]),
    ];
    const [first = [], ...rest] = await complete(lines);
    expect(first).toEqual(expect.arrayContaining(COMMANDS));
    const actions = TABLE.filter(({ next }) => next.length > 0);
    for (const [index, { name, next }] of actions.entries())
      expect([name, [...(rest[index] ?? [])].toSorted()]).toEqual([
        name,
        next.map(([word]) => word).toSorted(),
      ]);
    for (const [index, { name, options }] of TABLE.entries())
      expect([name, [...(rest[actions.length + index] ?? [])].toSorted()]).toEqual([
        name,
        options.map((option) => option.name).toSorted(),
      ]);
  });

  test.skipIf(isMissing)(`completes the beginning of a word${reason}`, async () => {
    const [commands = [], actions = [], options = [], after = []] = await complete([
      ["muster", "pe"],
      ["muster", "peers", "unc"],
      ["muster", "token", "create", "--max-w"],
      ["muster", "peers", "--json", "dr"],
    ]);
    // Which of the words match is what zsh decides itself.
    const of = (words: readonly string[], start: string) =>
      words.filter((word) => word.startsWith(start));
    expect(of(commands, "pe")).toEqual(["peers"]);
    expect(of(actions, "unc")).toEqual(["uncordon"]);
    expect(of(options, "--max-w")).toEqual(["--max-waiting"]);
    expect(of(after, "dr")).toEqual(["drain"]);
  });

  test.skipIf(isMissing)(`CL71 completes the same behind npx, by both names${reason}`, async () => {
    const lines = [
      ["pe"],
      ["peers", "unc"],
      ["token", "create", "--max-w"],
      ["task", "--key-file", ""],
      ["tasks", "list", "--kind", ""],
    ];
    const clean = (found: readonly (readonly string[])[]) =>
      found.map((words) =>
        words.map((each) => each.replaceAll("\\ ", " ").replace(/^'|'$/g, "")).toSorted(),
      );
    const starts = [
      ["muster"],
      ["npx", "muster-mesh"],
      ["npx", "muster"],
      ["npx", "--yes", "muster-mesh"],
    ];
    // In one process of the shell: each takes a while to start.
    const found = clean(
      await complete([
        ...starts.flatMap((start) => lines.map((words) => [...start, ...words])),
        ["npx", "muster-"],
        ["npx", "prettier", "pe"],
      ]),
    );
    const of = (index: number) => found.slice(index * lines.length, (index + 1) * lines.length);
    expect(of(0)[0]?.length).toBeGreaterThan(0);
    for (const index of [1, 2, 3]) expect(of(index)).toEqual(of(0));
    const [name = [], other = []] = found.slice(starts.length * lines.length);
    expect(name).toContain("muster-mesh");
    expect(other).not.toContain("peers");
  });

  test.skipIf(isMissing)(`completes files only where a file is meant${reason}`, async () => {
    const [file = [], text = []] = await complete([
      ["muster", "task", "--key-file", ""],
      ["muster", "tasks", "list", "--kind", ""],
    ]);
    // With a space in its name; fish shows it as a word of its own command line.
    expect(file.map((each) => each.replaceAll("\\ ", " ").replace(/^'|'$/g, ""))).toContain(
      "key file.json",
    );
    expect(text).toEqual([]);
  });
});

test("CL38 a shell that is not known is a usage error", async () => {
  const { code, err } = await muster("completion", "tcsh");
  expect([code, err]).toEqual([2, expect.stringContaining('one of bash, zsh, fish, not "tcsh"')]);
});

describe("CL39 the manual page", () => {
  const RENDERERS = {
    groff: ["-man", "-ww", "-Tutf8", "-z"],
    mandoc: ["-T", "lint", "-W", "warning"],
  } as const;

  test("has every command, option and exit code", async () => {
    const { out } = await muster("help", "--man");
    // Settings that several commands share are described once, or together.
    const plain = out.replaceAll("\\-", "-");
    for (const { name, options } of TABLE.filter((each) => !each.name.includes(" "))) {
      expect(plain).toContain(`muster ${name}`);
      for (const option of options)
        if (option.name !== "--help" && !Object.hasOwn(SETTING_OPTIONS, option.name.slice(2)))
          expect(plain).toContain(option.name);
    }
    for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(plain).toContain(`.B ${code}\n`);
  });

  test.each(Object.entries(RENDERERS))(
    "is rendered by %s without a warning",
    async (program, args) => {
      if (spawnSync(program, ["--version"]).error !== undefined) {
        process.stderr.write(`${program} is not installed\n`);
        return;
      }
      const { out } = await muster("help", "--man");
      const path = join(folder, "muster.1");
      writeFileSync(path, out);
      const { stdout, stderr } = spawnSync(program, [...args, path], { encoding: "utf8" });
      expect(`${stdout}${stderr}`).toBe("");
    },
  );
});
