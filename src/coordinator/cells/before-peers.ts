import { err, type Result } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { CellCalls } from "./cell-calls.ts";
import { isMisplaced, MISPLACED, peerOfCommand } from "./peer-commands.ts";
import { cellsToAsk, isSettled, settlePeer, type Unsettled } from "./settle-peer.ts";

type Answered<K extends CommandName> = Result<Output<K>, MusterError> | null;

/**
 * The work before a command about a peer: what former homes have about it is fetched first; a peer that still holds tasks there is
 * handled there; the old ID of a peer that has rotated leads to the home of its new one. Null if there is no such work. A cell that is
 * not the peer's home was asked by the one that is, and runs the command itself: commands go no further.
 */
export function beforePeerCommand<K extends CommandName>(
  name: K,
  calls: CellCalls,
  input: Input<K>,
  actor: string,
): (() => Promise<Answered<K>>) | null {
  const peerId = peerOfCommand(name, input);
  const { cells } = calls.registry;
  if (peerId === null || homeOf(cells.topology, peerId) !== cells.own) return null;
  const isHere = isSettled(calls, peerId) && currentOf(calls, name, peerId) === peerId;
  return isHere ? null : () => answerOf(calls, { name, input, actor, peerId });
}

interface PeerCommand<K extends CommandName> {
  readonly name: K;
  readonly input: Input<K>;
  readonly actor: string;
  readonly peerId: PeerId;
}

/** How often a peer may turn out to have left the cell that was said to have it. */
const TRIES = 3;

async function answerOf<K extends CommandName>(
  calls: CellCalls,
  command: PeerCommand<K>,
): Promise<Answered<K>> {
  for (let tries = 0; tries < TRIES; tries++) {
    const settled = await settlePeer(calls, command.peerId);
    if (!settled.ok) return unsettled(calls, command, settled.error);
    if (settled.value === null) return answerOfCurrent(calls, command);
    const { name, input, actor } = command;
    const answer = await calls.ask(settled.value, actor, name, input);
    if (answer.ok || !isMisplaced(answer.error)) return answer;
  }
  return err(MISPLACED);
}

/** The commands of the HTTP API for which the old ID of a peer stands for the peer. */
const BY_OLD_ID: ReadonlySet<CommandName> = new Set<CommandName>([
  "revoke_peer",
  "forget_peer",
  "get_peer",
  "get_score",
  "get_rtt",
  "schedule_peer",
  "reset_circuits",
  "request_peer",
]);

/** The ID to which a peer has rotated its key, as far as this cell knows, if the command is about that one. */
const currentOf = ({ registry, now }: CellCalls, name: CommandName, peerId: PeerId): PeerId => {
  if (!BY_OLD_ID.has(name)) return peerId;
  const current = registry.denylist.currentId(peerId) ?? peerId;
  return current === peerId ? registry.aliases.resolve(peerId, now()) : current;
};

/** The answer of the home of the peer's current ID; null if the command runs here. */
async function answerOfCurrent<K extends CommandName>(
  calls: CellCalls,
  { name, input, actor, peerId }: PeerCommand<K>,
): Promise<Answered<K>> {
  const current = currentOf(calls, name, peerId);
  if (current === peerId) return null;
  const renamed = { ...input, id: current } as Input<K>;
  const { topology, own } = calls.registry.cells;
  const home = homeOf(topology, current);
  if (home === own) {
    const answer = await answerOf(calls, { name, input: renamed, actor, peerId: current });
    return answer === null ? null : withOldId(name, answer, peerId);
  }
  return withOldId(name, await calls.ask(home, actor, name, renamed), peerId);
}

/** A revocation by an old ID says so. */
function withOldId<K extends CommandName>(
  name: K,
  answer: Result<Output<K>, MusterError>,
  oldId: PeerId,
): Result<Output<K>, MusterError> {
  if (name !== "revoke_peer" || !answer.ok) return answer;
  return { ...answer, value: { ...answer.value, rotated_from: oldId } };
}

/**
 * A former home does not hand the peer over. A key that is revoked is barred here, where its next admission is asked, and there once the
 * cell takes the message: the caller is told that this is not confirmed yet.
 */
async function unsettled<K extends CommandName>(
  calls: CellCalls,
  { name, input, actor, peerId }: PeerCommand<K>,
  { cell, error }: Unsettled,
): Promise<Answered<K>> {
  if (name !== "revoke_peer") return err(error);
  const cells = [...new Set([cell, ...cellsToAsk(calls, peerId)])];
  const revoke = input as Input<"revoke_peer">;
  return calls.runHere("mesh", "bar_peer", { revoke, actor, cells });
}
