import { err, type Result } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { Input, Output } from "../../contract/commands.ts";
import { IDEMPOTENCY_RETENTION } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { CellCalls } from "./cell-calls.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { startPull } from "./pulls.ts";
import { learn } from "./topology.ts";

/**
 * The work before a peer rotates its key, if another cell is the new key's home: that cell learns where the record is, so that it fetches
 * it before it admits the new key (CE105).
 */
export function beforeRotation(
  calls: CellCalls,
  { newPeerId }: Input<"rotate_peer">,
): (() => Promise<Result<Output<"rotate_peer">, MusterError> | null>) | null {
  const { topology, own } = calls.registry.cells;
  const home = homeOf(topology, newPeerId);
  if (home === own) return null;
  return async () => {
    const input = { topology, peerId: newPeerId, from: own };
    const expected = await calls.ask(home, calls.self, "expect_peer", input);
    return expected.ok ? null : expected;
  };
}

export const expectPeer: Handler<"expect_peer"> = (context, { topology, peerId, from }) => {
  const { registry, now } = context;
  learn(context, topology);
  if (registry.peers.get(peerId) !== null || registry.denylist.has(peerId)) return err(KNOWN);
  registry.peerMoves.addSource(peerId, from, now + IDEMPOTENCY_RETENTION);
  startPull(context, from);
  return done;
};

const KNOWN: MusterError = {
  code: "conflict",
  detail: "the new key is already known to this mesh; generate a new one",
};
