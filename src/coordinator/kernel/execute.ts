import { err, ok, type Result } from "../../base/result.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { assignQueuedTasks } from "../tasks/assign-queued.ts";
import { recordAct, type DescribeAct } from "./audit.ts";
import type { Context } from "./context.ts";
import { AUDIT, HANDLERS } from "./domains.ts";
import type { Effect } from "./effects.ts";
import { AfterAssignment, type Handler } from "./handler.ts";
import { noMarks } from "./marks.ts";
import { tick } from "./tick.ts";

const ALL_HANDLERS: { readonly [K in CommandName]: Handler<K> } = { ...HANDLERS, tick };

/** What a command works on, before its own effects and marks are added. */
export type ExecutionScope = Omit<Context, "effects" | "marks">;

export interface Executed<K extends CommandName> {
  readonly result: Result<Output<K>, MusterError>;
  /** Performed once the command has committed; none when it failed. */
  readonly effects: readonly Effect[];
}

/** Runs one command in one transaction: it commits as a whole, or changes nothing and returns an error. */
export function execute<K extends CommandName>(
  scope: ExecutionScope,
  name: K,
  input: Input<K>,
): Executed<K> {
  const context: Context = { ...scope, effects: [], marks: noMarks() };
  const describe: DescribeAct<K> | undefined = AUDIT[name];
  try {
    const result = scope.registry.transaction(() => {
      const decided = decide(context, name, input);
      recordAct(scope, name, describe, input, decided);
      return decided;
    });
    return { result, effects: context.effects };
  } catch (thrown) {
    if (!(thrown instanceof Rollback)) throw thrown;
    const result = err(thrown.error);
    // A refusal is audited although the transaction that refused was rolled back.
    scope.registry.transaction(() => recordAct(scope, name, describe, input, result));
    return { result, effects: [] };
  }
}

/** Runs the handler, then acts on what it marked. Throws `Rollback` when the handler refuses. */
function decide<K extends CommandName>(context: Context, name: K, input: Input<K>) {
  const handler: Handler<K> = ALL_HANDLERS[name];
  const decided = handler(context, input);
  if (!decided.ok) throw new Rollback(decided.error);
  const { marks, effects } = context;
  if (marks.workAvailable) assignQueuedTasks(context);
  const { value } = decided;
  const output: Output<K> = value instanceof AfterAssignment ? value.read() : value;
  if (marks.outboxDue) effects.push({ type: "drain_outbox" });
  if (marks.callbacksDue) effects.push({ type: "drain_callbacks" });
  return ok(output);
}

/** Carries an expected error out of the transaction, so that the database undoes what the handler wrote. */
class Rollback extends Error {
  readonly error: MusterError;
  constructor(error: MusterError) {
    super(error.code);
    this.error = error;
  }
}
