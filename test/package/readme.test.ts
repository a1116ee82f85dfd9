/** What the README of the package says, as a user does it. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, it, test } from "vitest";
import { run, tool } from "./tools.ts";

const { sdkFolder, mesh } = inject("installed");
const README = readFileSync(join(sdkFolder, "node_modules/muster-mesh/README.md"), "utf8");

/** The blocks of code in a language. */
const blocks = (language: string): readonly string[] =>
  [...README.matchAll(new RegExp(String.raw`^\`\`\`${language}\n([\s\S]*?)^\`\`\``, "gm"))].map(
    ([, code = ""]) => code,
  );

describe("PK19 the README of the package", () => {
  test.each([
    ["the oldest Node", tool("node")],
    ["the newest Node", process.execPath],
  ])("has a program that runs on %s", async (_, node) => {
    const [program = ""] = blocks("js");
    const file = join(sdkFolder, "example.mjs");
    await writeFile(file, program.replace("http://127.0.0.1:8787", mesh.url));
    const env = { MUSTER_TOKEN: mesh.token, NODE_OPTIONS: "" };
    expect((await run(node, [file], { cwd: sdkFolder, env })).trim()).toBe("42");
  });

  const commands = blocks("sh").flatMap((block) =>
    [...block.matchAll(/^npx muster-mesh (.+?)(?: +#.*)?$/gm)].map(([, line = ""]) => line),
  );

  it("has commands", () => expect(commands.length).toBeGreaterThan(3));

  test.each(commands)("has a command that exists, with its options: %s", async (line) => {
    const words = line.replaceAll(/'[^']*'/g, "").split(" ");
    const options = words.filter((word) => word.startsWith("--"));
    const isAction = words[0] === "join-key";
    const help = await run("npx", ["muster-mesh", ...words.slice(0, isAction ? 2 : 1), "--help"], {
      cwd: sdkFolder,
    });
    expect(help).toContain(`usage: npx muster-mesh ${words[0]}`);
    expect(options.filter((option) => !help.includes(option))).toEqual([]);
  });
});
