import { ok } from "../base/result.ts";
import { homeOf } from "../cells/topology.ts";
import { pairRttView } from "../scoring/pair-rtt-view.ts";
import type { Route } from "./network.ts";

/** Of peers of two cells, each cell has what its own peer has reported. */
export const toPair: Route<"get_rtt"> = async (network, { id, other }) => {
  const { topology, now } = network;
  const [cell, otherCell] = [homeOf(topology, id), homeOf(topology, other)];
  if (cell === otherCell) return network.ask(cell, "get_rtt", { id, other });
  const [own, others] = await Promise.all([
    network.ask(cell, "get_rtt", { id, other, half: true }),
    network.ask(otherCell, "get_rtt", { id: other, other: id, half: true }),
  ]);
  if (!own.ok) return own;
  if (!others.ok) return others;
  const [a, b] = [own.value.half, others.value.half];
  return ok(
    pairRttView(
      [own.value.peer_id, others.value.peer_id],
      [a?.coordinate ?? null, b?.coordinate ?? null],
      [a?.observed ?? null, b?.observed ?? null],
      now,
    ),
  );
};
