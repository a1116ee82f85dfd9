import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readArgs } from "../../src/cli/args.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";

const OPTIONS = {
  name: { type: "string" },
  label: { type: "string", multiple: true },
  flag: { type: "boolean" },
} as const;
const read = (argv: readonly string[], names: readonly string[] = ["[ONE...]"]) =>
  readArgs(argv, OPTIONS, { arguments: names, usage: "x" });

describe("the words of a command line", () => {
  test("CL33 any text is the value of an option after an equals sign, and any text after -- an argument", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (value, rest) => {
        const { values, positionals } = read([`--name=${value}`, "--flag", "--", ...rest]);
        expect([values.name, values.flag, positionals]).toEqual([value, true, rest]);
      }),
    );
  });

  test("CL33 a text that does not look like an option is a value and an argument, a negative number too", () => {
    const word = fc.oneof(
      fc.string().filter((text) => !/^-./.test(text)),
      fc.double({ noNaN: true, noDefaultInfinity: true, max: 0 }).map(String),
      fc.constantFrom("-5", "-.5", "-1e3", "-0x10", "-"),
    );
    fc.assert(
      fc.property(word, word, fc.array(word), (name, argument, labels) => {
        const argv = ["--name", name, argument, ...labels.flatMap((each) => ["--label", each])];
        const { values, positionals } = read(argv);
        expect([values.name, positionals]).toEqual([name, [argument]]);
        expect(values.label ?? []).toEqual(labels);
      }),
    );
  });

  test.each([
    [[], ["KIND", "[PAYLOAD]"], "KIND is missing"],
    [["a"], ["NAME", "DELIVERY"], "DELIVERY is missing"],
    [[], ["ID..."], "ID is missing"],
    [["a", "b"], ["[MODE]"], 'unexpected argument "b"'],
    [["--name"], [], "--name needs a value"],
    [["--name", "--flag"], [], "--name needs a value"],
    [["--name", "a", "--name", "b"], [], "--name is given twice"],
    [["--flag=yes"], [], "--flag takes no value"],
    [["--nam", "a"], [], "unknown option --nam, did you mean --name?"],
    [["-name", "a"], [], "unknown option -name, did you mean --name?"],
    [["--=a"], [], "unknown option --"],
  ] as const)("CL33 %j for %j: %s", (argv, names, fault) => {
    expect(() => read(argv, names)).toThrow(
      expect.objectContaining({ message: fault, exitCode: 2, hint: expect.any(String) as string }),
    );
  });
});

describe("CL33 the examples in the help texts", () => {
  const examples = Object.entries(COMMANDS).flatMap(([name, { examples: lines }]) =>
    lines.map((line) => [name, line] as const),
  );

  test("every command has one", () => {
    const without = Object.entries(COMMANDS).filter(([, each]) => each.examples.length === 0);
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test.each(examples)("of %s are command lines: %s", (name, line) => {
    // As a shell reads it, up to a redirection.
    const words = [...(line.split(" > ")[0] ?? "").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, bare]) => single ?? double ?? bare ?? "",
    );
    const [command = "", ...argv] = words;
    expect(command).toBe(name);
    const { actions = {}, options, arguments: names } = COMMANDS[command] ?? expect.fail();
    const action = actions[argv[0] ?? ""];
    const rest = action === undefined ? argv : argv.slice(1);
    const expected = { arguments: action?.arguments ?? names, usage: line };
    expect(() => readArgs(rest, options, expected)).not.toThrow();
  });
});
