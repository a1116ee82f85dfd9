import type { CommandAnswer, CommandName, Input } from "../../contract/commands.ts";
import { beforePeerCommand } from "./before-peers.ts";
import { beforeSubmission } from "./before-submissions.ts";
import { beforeOwnSubmission } from "./before-own-submission.ts";
import { beforeRotation } from "./expect-peer.ts";
import { MOVED_TASKS } from "../moves/before.ts";
import { admitDialed, registerAddress } from "../dialing/before-dials.ts";
import { askForEpoch } from "../discovery/cell-epochs.ts";
import { hearAdvertElsewhere } from "../discovery/sample-pointers.ts";
import type { Before, CellCalls } from "./cell-calls.ts";
import { askFormerCells } from "./before-deliveries.ts";
import { findCallbackOwner, learnSource, learnToken, redeemInCellZero } from "./before-facts.ts";

/** The work before each command, in its order: each is looked at once the one before it is done. */
const BEFORE: { readonly [K in CommandName]?: readonly Before<K>[] } = {
  rotate_peer: [beforeRotation],
  get_task: [MOVED_TASKS.get_task],
  cancel_task: [MOVED_TASKS.cancel_task],
  retry_task: [MOVED_TASKS.retry_task],
  why_task: [MOVED_TASKS.why_task],
  trace_task: [MOVED_TASKS.trace_task],
  read_result: [MOVED_TASKS.read_result],
  read_own_result: [MOVED_TASKS.read_own_result],
  repeat_callback: [MOVED_TASKS.repeat_callback],
  read_payload: [MOVED_TASKS.read_payload],
  begin_result: [MOVED_TASKS.begin_result],
  result_uploaded: [MOVED_TASKS.result_uploaded],
  submit_task: [MOVED_TASKS.submit_task],
  enqueue_task: [MOVED_TASKS.enqueue_task],
  submit_batch: [MOVED_TASKS.submit_batch],
  assign_task: [beforeOwnSubmission, MOVED_TASKS.assign_task],
  query_task: [MOVED_TASKS.query_task],
  recall_task: [MOVED_TASKS.recall_task],
  retry_own_task: [MOVED_TASKS.retry_own_task],
  hear_advert: [hearAdvertElsewhere],
  dial_peer: [registerAddress],
  // `redeemInCellZero` runs the command itself, so it comes last.
  admit: [askForEpoch, admitDialed, redeemInCellZero],
  authenticate: [learnToken],
  receive_delivery: [learnSource, askFormerCells],
  get_callback_secret: [findCallbackOwner],
  rotate_callback_secret: [findCallbackOwner],
  end_previous_callback_secret: [findCallbackOwner],
};

/** The work before a command; null if there is none. */
export function before<K extends CommandName>(
  cell: CellCalls,
  name: K,
  input: Input<K>,
  actor: string,
): (() => Promise<CommandAnswer | null>) | null {
  const works: readonly Before<K>[] = [
    (...asked) => beforePeerCommand(name, ...asked),
    (...asked) => beforeSubmission(name, ...asked),
    ...(BEFORE[name] ?? []),
  ];
  for (const [at, work] of works.entries()) {
    const first = work(cell, input, actor);
    if (first === null) continue;
    return async () => {
      let answer = await first();
      for (const next of works.slice(at + 1))
        answer ??= (await next(cell, input, actor)?.()) ?? null;
      return answer;
    };
  }
  return null;
}
