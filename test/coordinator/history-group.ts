import { expect } from "vitest";
import type { CommandName, Input } from "../../src/contract/commands.ts";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import type { GroupedCommand } from "../../src/coordinator/kernel/execute.ts";
import type { TestMesh } from "./mesh.ts";

/** Commands that arrive together, each with the outcome that the model expects. */
export class HistoryGroup {
  readonly #commands: GroupedCommand[] = [];
  readonly #outcomes: string[] = [];
  /** Whether tasks are assigned after the last command. */
  dispatches = false;

  /** @param outcome `ok`, or the code of the error */
  add<K extends CommandName>(name: K, input: Input<K>, outcome: string, dispatches: boolean): void {
    this.#commands.push({ name, input, actor: "admin" } as GroupedCommand);
    this.#outcomes.push(outcome);
    this.dispatches ||= dispatches;
  }

  /** Runs the commands in one transaction, checks the outcomes, and returns the effects in their order. */
  run(mesh: TestMesh): readonly Effect[] {
    const { executed, effects } = mesh.executeGroup(this.#commands);
    expect(executed.map(({ result }) => (result.ok ? "ok" : result.error.code))).toEqual(
      this.#outcomes,
    );
    const refused = executed.filter(({ result }) => !result.ok);
    expect(refused.flatMap((one) => one.effects)).toEqual([]);
    return [...executed.flatMap((one) => one.effects), ...effects];
  }
}
