import { err, type Result } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { Input, Output } from "../../contract/commands.ts";
import { IDEMPOTENCY_RETENTION } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { CellCalls } from "./cell-calls.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { formerCellsOf } from "../moves/owners.ts";
import { startPull } from "./pulls.ts";
import { learn } from "./topology.ts";

/**
 * The work before a peer rotates its key, if another cell is the new key's home: that cell learns where the record is, so that it fetches
 * it before it admits the new key (CE105).
 */
export function beforeRotation(
  calls: CellCalls,
  { peerId, newPeerId }: Input<"rotate_peer">,
): (() => Promise<Result<Output<"rotate_peer">, MusterError> | null>) | null {
  const { topology, own } = calls.registry.cells;
  const home = homeOf(topology, newPeerId);
  if (home === own) return null;
  return async () => {
    const { registry, now } = calls;
    const from = [own, ...formerCellsOf({ registry, now: now() }, peerId)];
    const input = { topology, peerId: newPeerId, from };
    const expected = await calls.ask(home, calls.self, "expect_peer", input);
    return expected.ok ? null : expected;
  };
}

export const expectPeer: Handler<"expect_peer"> = (context, { topology, peerId, from }) => {
  const { registry, now } = context;
  learn(context, topology);
  if (registry.peers.get(peerId) !== null || registry.denylist.has(peerId)) return err(KNOWN);
  const others = from.filter((cell) => cell !== registry.cells.own);
  for (const cell of others)
    registry.peerMoves.addSource(peerId, cell, now + IDEMPOTENCY_RETENTION);
  for (const cell of others.slice(0, 1)) startPull(context, cell);
  return done;
};

const KNOWN: MusterError = {
  code: "conflict",
  detail: "the new key is already known to this mesh; generate a new one",
};
