import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { elapsed, PlainLines, statusDisplay } from "../../../src/cli/wait/status-display.ts";
import { sameTarget } from "../../../src/cli/wait/same-target.ts";
import { waitForTask } from "../../../src/cli/wait/wait-for-task.ts";
import { controller, type Task } from "../../../src/client/index.ts";
import { ID, json, noNetwork, problem, task } from "../../client/fake-api.ts";
import { hostileIn, written, writtenDuring } from "../terminal.ts";

const shown = (state: string, more: object = {}): Task =>
  ({ ...task(state), attempts: [], progress: null, message: null, error: null, ...more }) as never;
const at = (peer: string) => ({ peer_id: peer, peer_name: peer });

const terminal = Object.getOwnPropertyDescriptor(process.stderr, "isTTY");
const setTerminal = (isTTY: boolean): void =>
  void Object.defineProperty(process.stderr, "isTTY", { value: isTTY, configurable: true });
afterEach(() => {
  if (terminal === undefined) Reflect.deleteProperty(process.stderr, "isTTY");
  else Object.defineProperty(process.stderr, "isTTY", terminal);
});

// A command leaves its listeners for signals to the end of its process, which many files of tests share: Node would warn of a leak.
beforeAll(() => void process.setMaxListeners(0));

describe("CL56 while a command waits for a task", () => {
  test("a terminal has one line with time, state, peer and progress, which is gone at the end", () => {
    setTerminal(true);
    let now = 0;
    const text = written(() => {
      const display = statusDisplay(false, () => now);
      display.show(shown("queued"));
      now = 65_000;
      const progress = { progress: 0.42, message: "page 3\u001b[2J" };
      display.show(shown("running", { attempts: [at("gpu-1")], ...progress }));
      display.show(shown("succeeded"));
      display.end();
      display.end();
    });
    const clear = "\r\u001b[K";
    expect(text).toBe(
      `${clear}0:00  queued${clear}1:05  running  at gpu-1  42 %  page 3\\u001b[2J${clear}`,
    );
  });

  test("other outputs have a line for each change of state or peer, and few for the progress", () => {
    let now = 0;
    const lines = written(() => {
      const plain = new PlainLines(() => now);
      const running = (peer: string, progress: number | null) =>
        plain.show(shown("running", { attempts: [at(peer)], progress }));
      plain.show(shown("queued"));
      plain.show(shown("queued"));
      running("a", null);
      for (let n = 1; n <= 100; n++) {
        now += 250;
        running("a", n / 100);
      }
      running("b", 0);
      plain.show(shown("failed"));
    });
    expect(lines).toBe(
      [
        "0:00  queued",
        "0:00  running  at a",
        "0:10  running  at a  40 %",
        "0:20  running  at a  80 %",
        "0:25  running  at b  0 %",
        "",
      ].join("\n"),
    );
    expect(hostileIn(lines)).toEqual([]);
  });

  test("a program gets nothing", () => {
    setTerminal(true);
    const text = written(() => {
      const display = statusDisplay(true);
      display.show(shown("running"));
      display.end();
    });
    expect(text).toBe("");
  });

  test.each([
    [999, "0:00"],
    [59_999, "0:59"],
    [754_000, "12:34"],
    [3_600_000, "1:00:00"],
    [90_061_000, "25:01:01"],
  ])("%d ms are shown as %s", (ms, text) => expect(elapsed(ms)).toBe(text));
});

const target = { url: "http://mesh.test/base", dir: "a b" };
const HOW = `task ${ID} goes on without this command
  wait for it again:  npx muster task ${ID} --follow --url 'http://mesh.test/base/' --dir 'a b'
  cancel it:          npx muster task ${ID} --cancel --url 'http://mesh.test/base/' --dir 'a b'
`;

/** What a wait writes, and how it ends. */
async function waited(answers: (() => Response)[], options: object = {}) {
  let requests = 0;
  const mesh = controller({
    url: "http://mesh.test/base",
    // A mesh answers a poll after a while, which gives the timers of the wait their turn.
    fetch: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return answers[Math.min(++requests, answers.length) - 1]?.() ?? Response.error();
    },
  });
  let end: unknown;
  const text = await writtenDuring(async () => {
    end = await waitForTask(mesh, ID, { json: true, target, ...options }).catch(
      (error: unknown) => error,
    );
  });
  return { text, end };
}

describe("CL57 a command that stops waiting prints the task's ID and the commands that go on", () => {
  test("when its time is over", async () => {
    for (const isJson of [true, false]) {
      const { text, end } = await waited([json(task("running"))], { timeoutMs: 50, json: isJson });
      expect(end).toMatchObject({ code: "wait_timeout" });
      expect(text.endsWith(HOW)).toBe(true);
    }
  });

  test("when the mesh does not answer any more", async () => {
    for (const isJson of [true, false]) {
      const answers = [json(task("running")), noNetwork];
      const { text, end } = await waited(answers, { outageMs: 300, json: isJson });
      expect(end).toMatchObject({ code: "unreachable" });
      expect(text.endsWith(HOW)).toBe(true);
    }
  });

  test("when the mesh refuses it", async () => {
    const { text, end } = await waited([problem(401, "unauthorized")]);
    expect(end).toMatchObject({ code: "unauthorized" });
    expect(text).toBe(HOW);
  });

  test("and not when the task has ended", async () => {
    for (const state of ["succeeded", "failed"]) {
      const { text, end } = await waited([json(task(state))]);
      expect([text, (end as Task).state]).toEqual(["", state]);
    }
  });

  test("with the options that select the mesh, and no secret", () => {
    const key = "ab".repeat(32);
    expect(sameTarget({})).toEqual([]);
    expect(sameTarget({ token: "mst_secret", url: "https://mesh.example/?x=secret" })).toEqual([
      "--url",
      "'https://mesh.example/'",
      "--token-file",
      "FILE",
    ]);
    expect(sameTarget({ url: `muster://mesh.example/#${key}&join=mjk_secret` })).toEqual([
      "--url",
      `'muster://mesh.example/#${key}'`,
    ]);
    expect(sameTarget({ "token-file": "my token", dir: "lab" })).toEqual([
      "--token-file",
      "'my token'",
      "--dir",
      "lab",
    ]);
    expect(sameTarget({ "token-file": "-" })).toEqual(["--token-file", "FILE"]);
  });
});
