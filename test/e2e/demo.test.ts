import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, ProcessMarker, muster, start, type MusterProcess } from "./processes.ts";
import { present } from "../must.ts";

let dir: string;
let mark: ProcessMarker;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-demo-test-"));
  await mkdir(join(dir, "tmp"));
  mark = new ProcessMarker();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const runOptions = () => ({ cwd: dir, env: { ...mark.env, TMPDIR: join(dir, "tmp") } });

/** Fails if a process of the demo still runs, or a file of the demo is left. */
async function expectCleanedUp(): Promise<void> {
  await mark.expectNoneLeft();
  const leftover = (await readdir(join(dir, "tmp"))).filter((name) => name.startsWith("muster-"));
  expect(leftover).toEqual([]);
}

/** The demo, workerd with its guard, and four peers. */
const DEMO_PROCESSES = 1 + 2 + 4;

/** More files than the demo can digest within its own deadline: it is still at work whenever a test stops it. */
const FILE_COUNT = 6_000;

async function writeManyFiles(): Promise<void> {
  await mkdir(join(dir, "many"));
  for (let n = 0; n < FILE_COUNT; n++) await writeFile(join(dir, "many", `${n}.txt`), `${n}`);
}

/** Starts a demo on many files, and waits until all its processes run and some files are done. */
async function startBusyDemo(): Promise<MusterProcess> {
  await writeManyFiles();
  const demo = start(["demo", "many"], runOptions());
  await demo.waitForOutput(new RegExp(`[1-9]\\d*/${FILE_COUNT} done`));
  expect((await mark.markedProcesses()).length).toBeGreaterThanOrEqual(DEMO_PROCESSES);
  return demo;
}

describe("the demo", () => {
  test("computes the hash and the line count of every file, and cleans up", async () => {
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
    const { code, stdout } = await muster(["demo", ...Object.keys(files)], runOptions());
    for (const [name, { content, lines }] of Object.entries(files)) {
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
      const row = stdout.split("\n").find((line) => line.startsWith(name)) ?? "";
      expect(row).toMatch(new RegExp(`(http|webhook) .* ${hash} +${lines}  correct$`));
      expect(row).toMatch(/fast|slow|flaky/);
    }
    expect(stdout).toContain("5 of 5 correct");
    expect(stdout).toContain("webhook");
    expect(code).toBe(0);
    await expectCleanedUp();
  });

  test("SV41 the demo keeps its mesh with --keep, and says where the dashboard is, until it is stopped", async () => {
    await writeFile(join(dir, "one.txt"), "1");
    const demo = start(["demo", "one.txt", "--keep"], runOptions());
    await demo.waitForOutput(/Ctrl-C stops it/);
    expect(demo.stdout).toContain("1 of 1 correct");
    const [, url = ""] = /(http:\/\/\S+\/dashboard)/.exec(demo.stderr) ?? [];
    const [, secrets = ""] = /in (\S+) \(ADMIN_TOKEN\)/.exec(demo.stderr) ?? [];
    expect((await fetch(url)).status).toBe(200);
    const [, token = ""] = /^ADMIN_TOKEN="?([^"\n]+)/m.exec(await readFile(secrets, "utf8")) ?? [];
    const peers = new URL("/v1/peers?state=active", url);
    const answer = await fetch(peers, { headers: { Authorization: `Bearer ${token}` } });
    expect(await answer.json()).toMatchObject({ peers: [{}, {}, {}, {}] });
    demo.child.kill("SIGINT");
    expect((await demo.finished).code).toBe(0);
    await expectCleanedUp();
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "cleans up when %s ends it while tasks run",
    async (signal) => {
      const demo = await startBusyDemo();
      demo.child.kill(signal);
      expect(await demo.finished).toMatchObject({
        code: signal === "SIGINT" ? 130 : 143,
        stderr: expect.stringContaining(signal),
      });
      await expectCleanedUp();
    },
  );

  test("cleans up when it is stopped while the mesh starts", async () => {
    await writeManyFiles();
    const demo = start(["demo", "many"], runOptions());
    await demo.waitForOutput(/starting a mesh/);
    await eventually(
      async () => (await mark.markedProcesses()).length > 1,
      () => "a process of the mesh",
    );
    demo.child.kill("SIGINT");
    expect((await demo.finished).code).toBe(130);
    await expectCleanedUp();
  });

  test("fails and cleans up when one of its peers crashes", async () => {
    const demo = await startBusyDemo();
    const peer = (await mark.markedProcesses()).find(({ command }) =>
      /\/worker\.(mjs|ts)\b/.test(command),
    );
    process.kill(present(peer).pid, "SIGKILL");
    const { code, stderr } = await demo.finished;
    expect(stderr).toMatch(/the process of (fast|slow|flaky) ended unexpectedly \(SIGKILL\)/);
    expect(code).toBe(1);
    await expectCleanedUp();
  });

  test("leaves no process behind even when it is killed with SIGKILL", async () => {
    const demo = await startBusyDemo();
    demo.child.kill("SIGKILL");
    await demo.finished;
    await mark.expectNoneLeft();
  });
});

describe("before it starts a process, the demo refuses", () => {
  test("a file that does not exist", async () => {
    const { code, stderr } = await muster(["demo", "nowhere.txt"], runOptions());
    expect(stderr).toBe("muster: nowhere.txt does not exist\n");
    expect(code).toBe(2);
  });

  test("a file that is too large for a task", async () => {
    await writeFile(join(dir, "huge.bin"), Buffer.alloc(256 * 1_024));
    const { code, stderr } = await muster(["demo", "huge.bin"], runOptions());
    expect(stderr).toMatch(/^muster: huge.bin has 262144 bytes; .* at most 190464 bytes\n$/);
    expect(code).toBe(2);
  });

  test("an empty folder", async () => {
    await mkdir(join(dir, "hollow"));
    const { code, stderr } = await muster(["demo", "hollow"], runOptions());
    expect(stderr).toBe("muster: there are no files to hash\n");
    expect(code).toBe(2);
  });
});
