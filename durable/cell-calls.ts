import type { Millis } from "../src/base/clock.ts";
import { withDeadline } from "../src/base/deadline.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import { err } from "../src/base/result.ts";
import { cellObjectName } from "../src/cells/object-name.ts";
import { SINGLE, type Topology } from "../src/cells/topology.ts";
import type { GatewayActor, SessionActor } from "../src/contract/caller.ts";
import type { Input, Output } from "../src/contract/commands.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { byTopology, ELSEWHERE, NOT_READY, TopologyChanged } from "../src/routing/network.ts";
import { CellDigests } from "../src/routing/cell-digests.ts";
import type { Env } from "./env.ts";
import { namesOf } from "./grouped-command.ts";
import type { CellAnswer, CellTarget, CoordinatorRpc, RpcAnswer, RpcCommand } from "./rpc.ts";
import { log } from "./worker-log.ts";

/**
 * Calls of the cells' objects. The stub is made anew for each call: a stub that has thrown must not be used again.
 */

export const stubOf = ({ COORDINATOR }: Env, cell: number): DurableObjectStub<CoordinatorRpc> =>
  COORDINATOR.get(COORDINATOR.idFromName(cellObjectName(cell)));

/** The topology that this isolate has learned. A cell answers a caller who knows an older one with its own. */
const known = new WeakMap<Env, Topology>();

/** Runs what depends on the topology, by the one that is known here, and again if a cell knows a newer one. */
export const withTopology = <T>(env: Env, run: (topology: Topology) => Promise<T>): Promise<T> =>
  byTopology(known.get(env) ?? SINGLE, run, (topology) => void known.set(env, topology));

/** What this isolate knows of the cells' load. */
const digests = new WeakMap<Env, CellDigests>();

export function digestsOf(env: Env): CellDigests {
  const kept = digests.get(env) ?? new CellDigests();
  digests.set(env, kept);
  return kept;
}

/** The cell that a caller's commands are for, and what the caller knows. */
type Called = Omit<CellTarget, "topology"> & { readonly topology: Topology };

/** Runs one caller's commands in a cell. Throws `TopologyChanged` before anything has run. */
export async function executeIn(
  env: Env,
  to: Called,
  actor: SessionActor | GatewayActor,
  commands: readonly RpcCommand[],
): Promise<readonly RpcAnswer[]> {
  const answers = await execute(env, { ...to, topology: to.topology.version }, actor, commands);
  learnFrom(env, to.cell, answers);
  return unmoved(answers);
}

/** The answer to a submission; `ELSEWHERE` or `NOT_READY` if the cell has not run it, and the task should go to the other cell. */
export async function submissionAnswer(
  env: Env,
  cell: number,
  called: Promise<CellAnswer>,
): Promise<RpcAnswer | typeof ELSEWHERE | typeof NOT_READY | undefined> {
  const answers = await called;
  learnFrom(env, cell, answers);
  const [first] = answers;
  if (first === undefined || !("elsewhere" in first)) return unmoved(answers)[0];
  return first.elsewhere === null ? NOT_READY : ELSEWHERE;
}

/** Notes what a cell says about its load. */
function learnFrom(env: Env, cell: number, answers: CellAnswer): void {
  const [first] = answers;
  const last = answers.at(-1);
  if (first === undefined || last === undefined) return;
  const now = Date.now();
  if ("digest" in last) digestsOf(env).learned(cell, last.digest, now);
  // Newer than the digest.
  if ("load" in last) digestsOf(env).learnedKind(cell, last.load, now);
  if (!("elsewhere" in first)) return;
  if (first.elsewhere === null) digestsOf(env).failed(cell, now);
  else digestsOf(env).learnedKind(cell, first.elsewhere, now);
}

/** Runs commands of a cell in another one, whatever topology that one knows. */
const executeBetween = async (
  env: Env,
  cell: number,
  actor: string,
  commands: readonly RpcCommand[],
): Promise<readonly RpcAnswer[]> =>
  unmoved(await execute(env, { cell, topology: null }, actor, commands));

/** The RPC itself, whose types do not say that it answers. */
export const execute = (
  env: Env,
  target: CellTarget,
  actor: string,
  commands: readonly RpcCommand[],
): Promise<CellAnswer> => stubOf(env, target.cell).execute(RPC_VERSION, actor, commands, target);

/** The same for work before a command: a cell that does not answer in time is an `unavailable` error. Never throws. */
export async function callCell(
  env: Env,
  cell: number,
  actor: string,
  commands: readonly RpcCommand[],
): Promise<readonly RpcAnswer[]> {
  const called = () => executeBetween(env, cell, actor, commands);
  const answers = await inTime(cell, namesOf(commands), RPC_TIMEOUT, called);
  return answers ?? commands.map(() => err(notAnswering(cell)));
}

/** What a cell answers; null if it does not answer in time, which is logged. Never throws. */
async function inTime<T>(
  cell: number,
  commands: string,
  timeout: Millis,
  call: () => Promise<T>,
): Promise<T | null> {
  try {
    return await withDeadline(call(), timeout);
  } catch (thrown) {
    log.write("cells.call_failed", { cell: String(cell), commands, ...faultOf(thrown) });
    return null;
  }
}

/** Has a cell take messages, and returns the number of the last one that it has. Throws if it does not confirm. */
export async function sendToCell(
  env: Env,
  cell: number,
  { from, messages }: Output<"next_messages">,
): Promise<number> {
  const input = { from, messages };
  const commands = [{ name: "receive_messages", input }] as const;
  const [taken] = await executeBetween(env, cell, `cell:${from}`, commands);
  if (taken?.ok !== true) throw new Error(taken?.error.detail);
  return (taken.value as Output<"receive_messages">).upTo;
}

/**
 * Has another cell answer with a task once it has ended, or as it is after `ms` milliseconds. A cell that does not answer in time is an
 * `unavailable` error: if this threw, the caller would take this cell for the one that does not answer. Never throws.
 */
export async function pollCell(
  env: Env,
  cell: number,
  actor: string,
  input: Input<"get_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const target = { cell, topology: null };
  const poll = async (): Promise<CellAnswer> =>
    stubOf(env, cell).getOnceEnded(RPC_VERSION, actor, input, ms, target);
  return (await inTime(cell, "get_task", ms + RPC_TIMEOUT, poll)) ?? [err(notAnswering(cell))];
}

/** What a caller is told of a cell that does not answer. */
export const notAnswering = (cell: number): MusterError => ({
  code: "unavailable",
  detail: `cell ${cell} of the mesh does not answer; try again`,
  retryAfter: 2,
});

/** The answers of a cell. Throws `TopologyChanged` if its caller knows another topology. */
export function unmoved(answers: CellAnswer): readonly RpcAnswer[] {
  const [first] = answers;
  if (first !== undefined && "moved" in first) throw new TopologyChanged(first.moved);
  return answers.filter((answer): answer is RpcAnswer => "ok" in answer);
}
