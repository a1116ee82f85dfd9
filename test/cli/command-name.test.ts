import { globSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { commandNameOf, withCommandName } from "../../src/cli/command-name.ts";
import { loadServer } from "../../src/cli/server-package.ts";
import { muster } from "./command-run.ts";
import { version } from "../../src/cli/version.ts";

const INSTALLED = "/home/ann/app/node_modules/muster-mesh/dist/programs/main.js";
const LINK = "/home/ann/app/node_modules/.bin/muster";

describe("PK4 a hint names the command by which the program is called where it runs", () => {
  test.each([
    ["in a checkout", "/src/muster/src/cli/main.ts", "/src/muster/bin/muster.js", {}, "npx muster"],
    ["by npx", INSTALLED, LINK, { npm_command: "exec" }, "npx muster-mesh"],
    ["by a script of npm", INSTALLED, LINK, { npm_command: "run-script" }, "npx muster-mesh"],
    ["by its path", INSTALLED, LINK, {}, "npx muster-mesh"],
    ["by node", INSTALLED, INSTALLED, {}, "npx muster-mesh"],
    ["installed for all", INSTALLED, "/usr/bin/muster", {}, "muster"],
    [
      "in a shell with the folder on its path",
      INSTALLED,
      LINK,
      { PATH: "/home/ann/app/node_modules/.bin" },
      "muster",
    ],
  ] as const)("%s", (_, module, program, env, name) => {
    expect(commandNameOf({ module, program, env: { PATH: "/usr/bin:/bin", ...env } })).toBe(name);
  });

  it("and no module of the command line writes the name itself", () => {
    const literal = globSync("src/cli/**/*.ts").filter(
      (file) =>
        file !== "src/cli/command-name.ts" &&
        // The manual page is one of an installed program.
        file !== "src/cli/help/man-page.ts" &&
        /npx muster|"muster (?!: )|`muster [^`$]*`,/.test(
          withoutComments(readFileSync(file, "utf8")),
        ),
    );
    expect(literal).toEqual([]);
  });

  it("also where the documentation names a command", () => {
    expect(withCommandName("run `npx muster keygen`")).toBe("run `npx muster keygen`");
  });
});

const withoutComments = (source: string): string =>
  source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

describe("PK5 a command that runs a mesh asks for the server by the name of its package", () => {
  const missing = Object.assign(
    new Error("Cannot find package 'muster-mesh-server' imported from /x/main.js"),
    { code: "ERR_MODULE_NOT_FOUND" },
  );

  it("with its version, if it is not installed", async () => {
    await expect(loadServer(() => Promise.reject(missing), true)).rejects.toMatchObject({
      message: "the package muster-mesh-server is not installed",
      hint: expect.stringContaining(
        `npm install muster-mesh@${version()} muster-mesh-server@${version()}`,
      ),
    });
  });

  it("and passes on what else is wrong with it", async () => {
    const broken = Object.assign(
      new Error("Cannot find package 'workerd' imported from /x/muster-mesh-server/dist/index.js"),
      { code: "ERR_MODULE_NOT_FOUND" },
    );
    await expect(loadServer(() => Promise.reject(broken), true)).rejects.toBe(broken);
  });

  it("which a checkout has", async () => {
    expect(await loadServer()).toMatchObject({ startMesh: expect.any(Function) });
  });
});

describe("CL62 a text that names the program has the name by which it was called", () => {
  test.each([
    ["the overview", ["help"], "usage: npx muster COMMAND"],
    ["the help of a command", ["help", "peers"], "usage: npx muster peers"],
    ["a missing argument", ["task"], "usage: npx muster task"],
    ["an unknown option", ["mesh", "--nonsense"], "usage: npx muster mesh"],
    ["a missing action", ["token"], "npx muster token create"],
    ["the completion of bash", ["completion", "bash"], "source <(npx muster completion bash)"],
    ["the completion of zsh", ["completion", "zsh"], "npx muster completion zsh > "],
  ] as const)("%s", async (_, call, text) => {
    const { out, err } = await muster(...call);
    expect(out + err).toContain(text);
  });

  test("and the scripts complete the command that an installed package has", async () => {
    const of = async (shell: string) => (await muster("completion", shell)).out;
    expect(await of("bash")).toMatch(/^complete -F _muster muster$/m);
    expect(await of("zsh")).toMatch(/^#compdef muster npx$/m);
    expect(await of("fish")).toMatch(/^complete -c muster /m);
  });
});
