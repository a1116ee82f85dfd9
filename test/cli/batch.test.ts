import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTasks, TASKS_MAX } from "../../src/cli/batch/read-tasks.ts";
import { inRequests, submitTasks } from "../../src/cli/batch/submit-tasks.ts";
import { waitForTasks } from "../../src/cli/batch/wait-for-tasks.ts";
import { describeError } from "../../src/cli/failure.ts";
import { WaitTimeout, type Task } from "../../src/client/index.ts";
import { writeJson } from "../../src/base/json-text/write-json.ts";
import { BATCH_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import { muster } from "./command-run.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-batch-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function fileOf(text: string | Buffer): Promise<string> {
  const file = join(dir, "tasks.jsonl");
  await writeFile(file, text);
  return file;
}

describe("CL69 a file of tasks", () => {
  test("has one task a line; empty lines do not count, and payloads stay as they are written", async () => {
    const tasks = await readTasks(
      await fileOf(
        '{"kind":"a","payload":1.0}\n\r\n  \n{"kind":"b","priority":5,"payload":12345678901234567890}',
      ),
    );
    expect(tasks.map(({ line }) => line)).toEqual([1, 4]);
    expect(tasks.map(({ task }) => writeJson(task))).toEqual([
      '{"kind":"a","payload":1.0}',
      '{"kind":"b","priority":5,"payload":12345678901234567890}',
    ]);
  });

  test.each([
    ["", "has no task"],
    ["\n \n", "has no task"],
    ['{"kind":"a"}\nkind', "line 2 of FILE is not JSON"],
    ['{"kind":"a"}\n\n[1]', "line 3 of FILE is not a task"],
    ["{}", "line 1 of FILE is not a task: kind: "],
    ['{"kind":"a","prioritee":1}', "prioritee: this field does not exist; did you mean `priority`"],
    ['{"kind":"a","priority":101}', "priority: "],
    ['{"kind":"a","kind":"b"}', "line 1 of FILE"],
    ['{"kind":"a","payload":{"a":1,"a":2}}', "line 1 of FILE"],
    ['{"kind":"a","payload":1e999}', "line 1 of FILE"],
    [`{"kind":"a","payload":${"[".repeat(300)}${"]".repeat(300)}}`, "line 1 of FILE"],
    [Buffer.from([0x7b, 0xff, 0x7d]), "is not UTF-8"],
    [`{"kind":"a"}\n`.repeat(TASKS_MAX + 1), `has more than ${TASKS_MAX} tasks`],
    [Buffer.alloc(64 * 1_048_576 + 1, " "), "has more than 64 MiB"],
  ])("is refused before any request: %#", async (text, fault) => {
    const file = await fileOf(text);
    const error = describeError(await readTasks(file).catch((thrown: unknown) => thrown));
    expect(error.text.replaceAll(file, "FILE")).toContain(fault);
    expect(error.exitCode).toBe(2);
    const { code, out } = await muster("tasks", "submit", file, "--url", "http://127.0.0.1:1");
    expect([code, out]).toEqual([2, ""]);
  });

  test("that does not exist, or is a folder, is an error of the call", async () => {
    for (const path of [join(dir, "missing"), dir]) {
      const { code, err } = await muster("tasks", "submit", path, "--url", "http://127.0.0.1:1");
      expect(code).toBe(2);
      expect(err).toContain(path);
    }
  });
});

describe("CL69 requests", () => {
  const lines = (sizes: readonly number[]) =>
    sizes.map((bytes, index) => ({ line: index + 1, task: { kind: "a" }, bytes }));

  test("have at most 100 tasks and what a body may have", () => {
    expect(inRequests(lines(Array.from({ length: 250 }, () => 20))).map((r) => r.length)).toEqual([
      100, 100, 50,
    ]);
    const large = Math.floor(BATCH_BODY_BYTES_MAX / 3);
    expect(inRequests(lines([large, large, large, 10])).map((r) => r.length)).toEqual([2, 2]);
    expect(inRequests(lines([BATCH_BODY_BYTES_MAX * 2, 10])).map((r) => r.length)).toEqual([1, 1]);
  });

  test("have keys of their own, and outcomes by the line", async () => {
    const keys: (string | undefined)[] = [];
    const mesh = {
      tasks: {
        submitBatch: (tasks: readonly unknown[], options: { idempotencyKey?: string }) => {
          keys.push(options.idempotencyKey);
          return Promise.resolve(tasks.map((_, n) => ({ error: { code: `e${n}` } })));
        },
      },
    } as never;
    const found: number[] = [];
    const tasks = lines(Array.from({ length: 101 }, () => 20));
    for await (const outcomes of submitTasks(mesh, tasks, "key", new AbortController().signal))
      found.push(...outcomes.map(({ line }) => line));
    expect(keys).toEqual(["key:1", "key:2"]);
    expect(found).toEqual(tasks.map(({ line }) => line));
  });
});

describe("CL69 the wait for many tasks", () => {
  const ids = Array.from({ length: 40 }, (_, n) => ({ id: String(n) }));
  const options = { until: Date.now() + 60_000, outageMs: 1, signal: new AbortController().signal };

  test("holds at most 16 requests open, tells each end, and counts what has not ended", async () => {
    let open = 0;
    let most = 0;
    const mesh = {
      tasks: {
        wait: async (id: string) => {
          open += 1;
          most = Math.max(most, open);
          await Promise.resolve();
          open -= 1;
          if (id === "7") throw new WaitTimeout({ id } as Task);
          return { id };
        },
      },
    } as never;
    const ended: string[] = [];
    const unfinished = await waitForTasks(
      mesh,
      ids,
      ({ id }) => Promise.resolve(void ended.push(id)),
      options,
    );
    expect(unfinished).toBe(1);
    expect(ended).toHaveLength(39);
    expect(most).toBe(16);
  });

  test("ends all waits with the first error", async () => {
    const signals: AbortSignal[] = [];
    const mesh = {
      tasks: {
        wait: (id: string, { signal }: { signal: AbortSignal }) => {
          signals.push(signal);
          if (id === "3") return Promise.reject(new Error("gone"));
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("aborted")));
          });
        },
      },
    } as never;
    await expect(waitForTasks(mesh, ids, () => Promise.resolve(), options)).rejects.toThrow("gone");
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });
});
