import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ok } from "../../../src/base/result.ts";
import { CommandQueue } from "../../../src/coordinator/kernel/command-queue.ts";
import type { GroupedCommand } from "../../../src/coordinator/kernel/execute.ts";

const command = (id: string): GroupedCommand => ({
  name: "get_task",
  input: { id, visibleTo: null },
  actor: "admin",
});
const idOf = ({ input }: GroupedCommand): string => (input as { id: string }).id;

/** A queue whose turns the test starts. Each command is answered with its ID. */
class TestQueue {
  readonly groups: string[][] = [];
  readonly #turns: (() => void)[] = [];
  readonly queue = new CommandQueue({
    run: (commands) => {
      this.groups.push(commands.map(idOf));
      return commands.map(async (one) => ok(idOf(one)));
    },
    defer: (work) => void this.#turns.push(work),
  });

  /** Starts the next turn; false when none was deferred. */
  turn(): boolean {
    const work = this.#turns.shift();
    work?.();
    return work !== undefined;
  }
}

/** A caller's number of commands, or what happens to the queue. */
type Step = number | "turn" | "drain";
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.constant<Step>("turn") },
  { weight: 1, arbitrary: fc.constant<Step>("drain") },
);

describe("the commands of the coordinator", () => {
  test("GC2 the first command of an idle moment runs at once, those that follow run together", async () => {
    const made = new TestQueue();
    const first = made.queue.execute([command("a")]);
    expect(made.groups).toEqual([["a"]]);
    const second = made.queue.execute([command("b")]);
    const third = made.queue.execute([command("c"), command("d")]);
    expect(made.groups).toEqual([["a"]]);
    made.turn();
    expect(made.groups).toEqual([["a"], ["b", "c", "d"]]);
    expect(await first).toEqual([ok("a")]);
    expect(await second).toEqual([ok("b")]);
    expect(await third).toEqual([ok("c"), ok("d")]);
    made.turn();
    void made.queue.execute([command("e")]);
    expect(made.groups.at(-1)).toEqual(["e"]);
  });

  test("GC2 every command runs once, in the order of arrival, in groups of at most 256", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (steps) => {
        const made = new TestQueue();
        const expected: string[] = [];
        const answers: Promise<readonly unknown[]>[] = [];
        for (const step of steps) {
          if (step === "turn") made.turn();
          else if (step === "drain") made.queue.drain();
          else {
            const ids = Array.from({ length: step }, (_, n) => `${expected.length + n}`);
            expected.push(...ids);
            answers.push(made.queue.execute(ids.map(command)));
          }
        }
        while (made.turn());
        expect(made.groups.flat()).toEqual(expected);
        for (const { length } of made.groups) expect(length).toBeLessThanOrEqual(256);
        expect((await Promise.all(answers)).flat()).toEqual(expected.map((id) => ok(id)));
      }),
    );
  });

  test("GC6 what waits runs at once when a tick is about to run", async () => {
    const made = new TestQueue();
    const answers = ["a", "b", "c"].map((id) => made.queue.execute([command(id)]));
    made.queue.drain();
    expect(made.groups).toEqual([["a"], ["b", "c"]]);
    expect((await Promise.all(answers)).flat()).toEqual([ok("a"), ok("b"), ok("c")]);
    while (made.turn());
    expect(made.groups).toHaveLength(2);
  });

  test("GC2 what waits is bounded: a caller beyond the bound is told to come again, and the others are answered", async () => {
    const made = new TestQueue();
    void made.queue.execute([command("first")]);
    const many = Array.from({ length: 8_192 }, (_, n) => command(`${n}`));
    const waiting = made.queue.execute(many);
    const [refused] = await made.queue.execute([command("late")]);
    expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
    while (made.turn());
    expect(await waiting).toHaveLength(8_192);
    expect(made.groups.flat()).not.toContain("late");
  });
});
