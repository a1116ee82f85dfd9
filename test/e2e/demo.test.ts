import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, Mark, muster, start, type Running } from "./processes.ts";

let dir: string;
let mark: Mark;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-demo-test-"));
  await mkdir(join(dir, "tmp"));
  mark = new Mark();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const surroundings = () => ({ cwd: dir, env: { ...mark.env, TMPDIR: join(dir, "tmp") } });

/** Nothing that the demo started may live, and nothing that it wrote may lie about. */
async function expectNoTrace(): Promise<void> {
  await mark.expectNoneLeft();
  const litter = (await readdir(join(dir, "tmp"))).filter((name) => name.startsWith("muster-"));
  expect(litter).toEqual([]);
}

/** The mesh's wrangler and its two workerd, and four peers, beside the demo itself. */
const WHOLE_CREW = 1 + 3 + 4;

/** More files than the demo can digest within its own deadline: it is still at work whenever a test stops it. */
const MANY = 6_000;

async function writeManyFiles(): Promise<void> {
  await mkdir(join(dir, "many"));
  for (let n = 0; n < MANY; n++) await writeFile(join(dir, "many", `${n}.txt`), `${n}`);
}

/** Starts a demo on many files, and waits until all its processes run and some files are done. */
async function demoAtWork(): Promise<Running> {
  await writeManyFiles();
  const demo = start(["demo", "many"], surroundings());
  await demo.says(new RegExp(`[1-9]\\d*/${MANY} done`));
  expect((await mark.bearers()).length).toBeGreaterThanOrEqual(WHOLE_CREW);
  return demo;
}

describe("the demo", () => {
  test("gets every file's hash and line count right, and leaves no trace", async () => {
    const files = {
      "empty.txt": { content: "", lines: 0 },
      "three.txt": { content: "a\nb\nc\n", lines: 3 },
      "open end.txt": { content: "é\n\nlast", lines: 3 },
      "binary.bin": { content: Buffer.from([0, 10, 255, 13, 10, 128]), lines: 3 },
      "big.bin": { content: Buffer.alloc(180 * 1_024, "0123456789\n"), lines: 16_757 },
    };
    for (const [name, { content }] of Object.entries(files)) {
      await writeFile(join(dir, name), content);
    }
    const { code, stdout } = await muster(["demo", ...Object.keys(files)], surroundings());
    for (const [name, { content, lines }] of Object.entries(files)) {
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
      const row = stdout.split("\n").find((line) => line.startsWith(name)) ?? "";
      expect(row).toMatch(new RegExp(`(http|webhook) .* ${hash} +${lines}  correct$`));
      expect(row).toMatch(/fast|slow|flaky/);
    }
    expect(stdout).toContain("5 of 5 correct");
    expect(stdout).toContain("webhook");
    expect(code).toBe(0);
    await expectNoTrace();
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "leaves no trace when %s ends it midway",
    async (signal) => {
      const demo = await demoAtWork();
      demo.child.kill(signal);
      expect(await demo.finished).toMatchObject({
        code: 130,
        stderr: expect.stringContaining(signal),
      });
      await expectNoTrace();
    },
  );

  test("leaves no trace when it is stopped while the mesh starts", async () => {
    await writeManyFiles();
    const demo = start(["demo", "many"], surroundings());
    await demo.says(/starting a mesh/);
    await eventually(
      async () => (await mark.bearers()).length > 1,
      () => "a process of the mesh",
    );
    demo.child.kill("SIGINT");
    expect((await demo.finished).code).toBe(130);
    await expectNoTrace();
  });

  test("fails and leaves no trace when one of its peers crashes", async () => {
    const demo = await demoAtWork();
    const peer = (await mark.bearers()).find(({ command }) => command.includes("demo/worker.ts"));
    process.kill(peer?.pid ?? 0, "SIGKILL");
    const { code, stderr } = await demo.finished;
    expect(stderr).toMatch(/the process of (fast|slow|flaky) ended unexpectedly \(SIGKILL\)/);
    expect(code).toBe(1);
    await expectNoTrace();
  });

  test("leaves no process behind even when it is killed without warning", async () => {
    const demo = await demoAtWork();
    demo.child.kill("SIGKILL");
    await demo.finished;
    await mark.expectNoneLeft();
  });
});

describe("the demo refuses, before it starts anything,", () => {
  test("a file that is not there", async () => {
    const { code, stderr } = await muster(["demo", "nowhere.txt"], surroundings());
    expect(stderr).toBe("muster: nowhere.txt does not exist\n");
    expect(code).toBe(2);
  });

  test("a file that does not fit into a task", async () => {
    await writeFile(join(dir, "huge.bin"), Buffer.alloc(256 * 1_024));
    const { code, stderr } = await muster(["demo", "huge.bin"], surroundings());
    expect(stderr).toMatch(/^muster: huge.bin has 262144 bytes; .* at most 190464 bytes\n$/);
    expect(code).toBe(2);
  });

  test("a folder without files", async () => {
    await mkdir(join(dir, "hollow"));
    const { code, stderr } = await muster(["demo", "hollow"], surroundings());
    expect(stderr).toBe("muster: there are no files to hash\n");
    expect(code).toBe(2);
  });
});
