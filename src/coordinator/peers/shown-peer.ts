import { toRfc3339 } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PeerView } from "../../protocol/http.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import { circuitState } from "../../tasks/circuit.ts";
import type { Context } from "../kernel/context.ts";
import { scoreOf } from "./scored-peers.ts";
import { peerView } from "./views.ts";

/** A peer as the HTTP API shows it: with its current score, and with its circuits that are not closed. */
export const shownPeer = (context: Context, peer: Peer): PeerView => ({
  ...peerView(peer, scoreOf(context, peer)),
  circuits: context.registry.circuits.ofPeer(peer.id).map(({ kind, circuit }) => ({
    kind: kind === WHOLE_PEER ? null : kind,
    state: circuitState(circuit, context.now) === "half_open" ? "half_open" : "open",
    reason: circuit.reason ?? "",
    rests_until: toRfc3339(circuit.restsUntil ?? context.now),
  })),
});
