import { placeOfKey } from "../../cells/placement.ts";
import { homeOf, liveFormerHomesOf } from "../../cells/topology.ts";
import { ok, type Result } from "../../base/result.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Handler } from "../kernel/handler.ts";
import type { CellCalls } from "./cell-calls.ts";
import { isMisplaced, keyOfCommand, madeBy } from "./peer-commands.ts";
import { learn } from "./topology.ts";

type Answered<K extends CommandName> = Result<Output<K>, MusterError> | null;

/**
 * The work before a submission under an idempotency key that belonged to other cells: they are asked first, and the one that has
 * accepted a task under the key answers (CE106). One that does not answer may have: then nothing is accepted.
 */
export function beforeSubmission<K extends CommandName>(
  name: K,
  calls: CellCalls,
  input: Input<K>,
  actor: string,
): (() => Promise<Answered<K>>) | null {
  const submitted = keyOfCommand(name, input);
  if (submitted === null) return null;
  const { registry, self } = calls;
  const { topology, own } = registry.cells;
  const place = placeOfKey(submitted.scope, submitted.key);
  if (homeOf(topology, place) !== own) return null;
  const now = calls.now();
  const former = liveFormerHomesOf(topology, place, now);
  if (former.length === 0 || madeBy({ registry, now }, submitted) !== null) return null;
  return async () => {
    for (const cell of former) {
      const made = await calls.ask(cell, self, "find_submission", { topology, ...submitted });
      if (!made.ok) return made;
      if (made.value.found === null) continue;
      const answer = await calls.ask(cell, actor, name, input);
      if (answer.ok || !isMisplaced(answer.error)) return answer;
    }
    return null;
  };
}

export const findSubmission: Handler<"find_submission"> = (context, { topology, ...submitted }) => {
  learn(context, topology);
  return ok({ found: madeBy(context, submitted) });
};
