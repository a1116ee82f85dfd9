/** Runs the examples of docs/programs.md as they are printed there. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execHandler } from "../../src/cli/exec/exec-handler.ts";
import { NO_RETRY_FORM } from "../../src/cli/exec/muster-line.ts";
import { PROGRESS_FORM } from "../../src/cli/exec/progress-line.ts";
import { PROJECT } from "./processes.ts";
import { wire } from "../wire.ts";

const run = promisify(execFile);
const page = await readFile(join(PROJECT, "docs/programs.md"), "utf8");

/** The block of code in this language that names its file in a comment. */
function example(language: string, file: string): string {
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.find(
    ([, name, code = ""]) => name === language && /^(?:#|\/\/) (\S+)$/m.exec(code)?.[1] === file,
  );
  if (found?.[2] === undefined) throw new Error(`the page has no example ${file}`);
  return found[2];
}

const has = (program: string, ...args: string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-programs-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Writes an example to its file, and returns the command that runs it. */
async function prepared(language: string, file: string): Promise<string> {
  const path = join(dir, file);
  await writeFile(path, example(language, file));
  if (language !== "go") {
    await chmod(path, 0o755);
    return path;
  }
  await run("go", ["build", "-o", "words", "words.go"], {
    cwd: dir,
    env: { ...process.env, GO111MODULE: "off" },
  });
  return join(dir, "words");
}

async function count(command: string, payloadText: string) {
  const progress: unknown[] = [];
  const result: unknown = await execHandler(command)(null, {
    taskId: "t",
    kind: "words",
    payloadText,
    attempt: 1,
    fence: 1,
    signal: new AbortController().signal,
    progress: (...report) => void progress.push(report),
  });
  return { result: wire(result as never), progress };
}

describe.each([
  ["sh", "words.sh", () => has("sh", "-c", "exit 0")],
  ["python", "words.py", () => has("python3", "--version")],
  ["go", "words.go", () => has("go", "version")],
] as const)("CL50 the example in %s", (language, file, isInstalled) => {
  test("counts words, reports progress, and fails as the page says", async (context) => {
    if (!(await isInstalled())) context.skip(`${language} is not installed here`);
    const command = await prepared(language, file);
    expect(await count(command, '{"text": "one two three"}')).toEqual({
      result: { words: 3, kind: "words" },
      progress: [[0.5, "counting"]],
    });
    // The shell looks for no text: it has no parser of JSON.
    if (language !== "sh")
      await expect(count(command, '{"txt": 1}')).rejects.toThrow(
        /^exit code 1: the payload has no text$/,
      );
  });
});

test("CL52 the page shows the form of a progress line", () => {
  expect(page).toContain(`\n${PROGRESS_FORM}\n`);
  expect(page).toContain(`\`${NO_RETRY_FORM}\``);
});
