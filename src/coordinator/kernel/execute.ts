import { err, ok, type Result } from "../../base/result.ts";
import {
  COMMAND_CALLERS,
  type CommandName,
  type Input,
  type Output,
} from "../../contract/commands.ts";
import type { ReadCommandName } from "../../contract/read-commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { placeFault } from "../cells/peer-commands.ts";
import type { NotedFacts } from "../../registry/facts.ts";
import { sendFacts } from "../cells/send-facts.ts";
import { adoptConfiguredCells } from "../cells/topology.ts";
import { judgeAfterCommand, judgeAfterDeploy } from "../discovery/key-holders.ts";
import { endFinishedDrains } from "../peers/drains.ts";
import { countCommand } from "../metrics/command-counts.ts";
import { assignQueuedTasks } from "../tasks/assign-queued.ts";
import { recordAct, type Audited } from "./audit.ts";
import type { Context } from "./context.ts";
import { AUDIT, HANDLERS } from "./domains.ts";
import type { Effect } from "./effects.ts";
import { AfterAssignment, type Handler } from "./handler.ts";
import { mergeMarks, noMarks, type Marks } from "./marks.ts";
import { makeRoom, REMOVED_IN_GROUP } from "../storage/make-room.ts";
import { importFault } from "../storage/import.ts";
import { fullFault } from "../storage/room.ts";
import { tick } from "./tick.ts";

const AUDITED: { readonly [K in CommandName]?: Audited<K> } = AUDIT;
const ALL_HANDLERS: { readonly [K in CommandName]: Handler<K> } = { ...HANDLERS, tick };

/** What the commands of one group work on. */
export type GroupScope = Omit<Context, "effects" | "marks" | "actor">;
/** What one command works on, before its own effects and marks are added. */
export type ExecutionScope = GroupScope & Pick<Context, "actor">;

/** A command, and who gave it (as in `Context`). */
export type GroupedCommand = {
  [K in CommandName]: { readonly name: K; readonly input: Input<K>; readonly actor: string };
}[CommandName];

export interface Executed<K extends CommandName> {
  readonly result: Result<Output<K>, MusterError>;
  /** Performed once the command has committed; none when it failed. */
  readonly effects: readonly Effect[];
}

export interface ExecutedGroup {
  /** What each command did, in the order of the commands. */
  readonly executed: readonly Executed<CommandName>[];
  /** The effects of the assignment of queued tasks, which follow those of the commands. */
  readonly effects: readonly Effect[];
}

/** Runs one command in one transaction: it commits as a whole, or changes nothing and returns an error. */
export function execute<K extends CommandName>(
  { actor, ...scope }: ExecutionScope,
  name: K,
  input: Input<K>,
): Executed<K> {
  // The type can't say that the command is one of the union's.
  const group = executeGroup(scope, [{ name, input, actor } as GroupedCommand]);
  const { result, effects } = group.executed[0] as Executed<K>;
  return { result, effects: [...effects, ...group.effects] };
}

/**
 * Runs commands in their order, all in one transaction, each in a savepoint: a command that is refused undoes only its
 * own writes. Queued tasks are assigned once, after the last command. When this throws, the whole group is undone.
 */
export function executeGroup(
  scope: GroupScope,
  commands: readonly GroupedCommand[],
): ExecutedGroup {
  return scope.registry.transaction(() => {
    const context: Context = { ...scope, actor: "mesh", effects: [], marks: noMarks() };
    adoptConfiguredCells(context, commands.some(isLearningItsNumber));
    judgeAfterDeploy(context);
    const decided = commands.map((command) => decide(scope, command));
    for (const { marks } of decided) mergeMarks(context.marks, marks);
    sendFacts(context, decided);
    if (context.marks.drainsDue) endFinishedDrains(context);
    if (context.marks.workAvailable) assignQueuedTasks(context);
    // What the answers show is read before ended tasks are removed.
    const executed = decided.map(({ finish }) => finish());
    makeRoom(context, REMOVED_IN_GROUP);
    scope.registry.events.write(scope.now);
    if (context.marks.outboxDue) context.effects.push({ type: "drain_outbox" });
    if (context.marks.callbacksDue) context.effects.push({ type: "drain_callbacks" });
    return { executed, effects: context.effects };
  });
}

const isLearningItsNumber = ({ name, input }: GroupedCommand): boolean =>
  name === "learn_topology" && input.own !== 0;

/** Runs a command that only reads, outside of a transaction. */
export function executeRead<K extends ReadCommandName>(
  scope: ExecutionScope,
  name: K,
  input: Input<K>,
): Executed<K>["result"] {
  const result = read(scope, name, input);
  countCommand(scope, name, result);
  return result;
}

function read<K extends ReadCommandName>(
  scope: ExecutionScope,
  name: K,
  input: Input<K>,
): Executed<K>["result"] {
  const context: Context = { ...scope, effects: [], marks: noMarks() };
  const refusal = refuseOver(scope) ?? placeFault(context, name, input);
  if (refusal !== null) return err(refusal);
  const handler: Handler<K> = ALL_HANDLERS[name];
  const result = handler(context, input);
  return result.ok ? ok(outputOf(result.value)) : result;
}

/** A command that was run, before queued tasks are assigned. */
interface Decided {
  /** The marks of the command; none when it was refused. */
  readonly marks: Marks;
  /** What it has changed for all cells; null when it was refused. */
  readonly facts: NotedFacts | null;
  readonly effects: Effect[];
  readonly mayWait: boolean;
  /** Reads the answer and writes the audit log, once queued tasks are assigned. */
  readonly finish: () => Executed<CommandName>;
}

function decide<K extends CommandName>(
  scope: GroupScope,
  { name, input, actor }: { readonly name: K; readonly input: Input<K>; readonly actor: string },
): Decided {
  const context: Context = { ...scope, actor, effects: [], marks: noMarks() };
  const audited: Audited<K> | undefined = AUDITED[name];
  const handler: Handler<K> = ALL_HANDLERS[name];
  const full = importFault(context, name) ?? fullFault(scope, name);
  const decided = runInSavepoint(scope, () => {
    const refusal = refuseOver(context) ?? placeFault(context, name, input);
    if (refusal !== null) return err(refusal);
    if (full !== null) return err(full);
    const result = handler(context, input);
    if (result.ok) judgeAfterCommand(context);
    return result;
  });
  const noted = scope.registry.facts.take();
  return {
    marks: decided.ok ? context.marks : noMarks(),
    facts: decided.ok ? noted : null,
    effects: context.effects,
    mayWait: COMMAND_CALLERS[name] === "gateway",
    finish() {
      const result = decided.ok ? ok(outputOf(decided.value)) : decided;
      // A refusal is audited although its writes were undone.
      recordAct(context, name, audited, input, result);
      countCommand(context, name, result);
      return { result, effects: decided.ok ? context.effects : [] };
    },
  };
}

/**
 * Refuses a command of a token that was revoked or has expired since the gateway checked it: nothing that it asks for is done from
 * then on.
 */
function refuseOver({
  registry,
  actor,
  now,
}: Pick<Context, "registry" | "actor" | "now">): MusterError | null {
  const token = tokenOf(actor);
  return token !== null && registry.apiTokens.isOver(token, now) ? TOKEN_OVER : null;
}

/** The ID of the token that gives a command; null if another gives it. */
export const tokenOf = (actor: string): string | null =>
  actor.startsWith(TOKEN_ACTOR) ? actor.slice(TOKEN_ACTOR.length) : null;

/** What a token that is over is answered. */
export const TOKEN_OVER = {
  code: "unauthorized",
  detail: "this token was revoked or has expired",
} as const satisfies MusterError;
const TOKEN_ACTOR = "token:";

const outputOf = <T>(value: T | AfterAssignment<T>): T =>
  value instanceof AfterAssignment ? value.read() : value;

/** Runs the body in a savepoint, which is undone when the body returns an error. */
function runInSavepoint<T>(
  { registry }: GroupScope,
  body: () => Result<T, MusterError>,
): Result<T, MusterError> {
  try {
    return registry.transaction(() => {
      const result = body();
      if (!result.ok) throw new Rollback(result.error);
      return result;
    });
  } catch (thrown) {
    if (thrown instanceof Rollback) return err(thrown.error);
    throw thrown;
  }
}

/** Carries an expected error out of the savepoint, so that the database undoes what the handler wrote. */
class Rollback extends Error {
  readonly error: MusterError;
  constructor(error: MusterError) {
    super(error.code);
    this.error = error;
  }
}
