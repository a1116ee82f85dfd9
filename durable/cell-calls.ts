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
import { byTopology, TopologyChanged } from "../src/routing/network.ts";
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

/**
 * Runs one caller's commands in a cell. Throws `TopologyChanged` before anything has run.
 *
 * @param digest whether the answer should bring the cell's digest
 */
export async function executeIn(
  env: Env,
  to: { readonly cell: number; readonly topology: Topology; readonly digest?: boolean },
  actor: SessionActor | GatewayActor,
  commands: readonly RpcCommand[],
): Promise<readonly RpcAnswer[]> {
  const { digest = false } = to;
  const target = { cell: to.cell, topology: to.topology.version, digest };
  const answers = await execute(env, target, actor, commands);
  const last = answers.at(-1);
  if (last !== undefined && "digest" in last)
    digestsOf(env).learned(to.cell, last.digest, Date.now());
  return unmoved(answers);
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
const execute = (
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
  try {
    return await withDeadline(executeBetween(env, cell, actor, commands), RPC_TIMEOUT);
  } catch (thrown) {
    log.write("cells.call_failed", {
      cell: String(cell),
      commands: namesOf(commands),
      ...faultOf(thrown),
    });
    return commands.map(() => err(notAnswering(cell)));
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

/** Has another cell answer with a task once it has ended, or as it is after `ms` milliseconds. */
export async function pollCell(
  env: Env,
  cell: number,
  actor: string,
  input: Input<"get_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const target = { cell, topology: null };
  const called: Promise<CellAnswer> = stubOf(env, cell).getOnceEnded(
    RPC_VERSION,
    actor,
    input,
    ms,
    target,
  );
  return called;
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
