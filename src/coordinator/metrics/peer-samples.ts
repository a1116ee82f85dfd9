import { SECOND } from "../../base/clock.ts";
import { METRICS } from "../../metrics/catalog.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { PeerTotals } from "../../registry/peer-totals.ts";
import type { Context } from "../kernel/context.ts";
import type { Gauges } from "./gauges.ts";

const BOUNDS = {
  rttMs: METRICS.muster_peer_rtt_seconds.bounds.map((seconds) => seconds * SECOND),
  score: METRICS.muster_peer_score.bounds,
} as const;

/** Peers, and what was measured of those that are connected. */
export function samplePeers({ registry }: Pick<Context, "registry">, gauges: Gauges): void {
  const totals = registry.peers.totals(BOUNDS);
  for (const { state, role, peers } of totals) gauges.set("muster_peers", [state, role], peers);
  const connected = totals.filter(({ state }) => isConnected(state));
  const sum = (of: (each: PeerTotals) => number, among = connected): number =>
    among.reduce((total, each) => total + of(each), 0);
  const sums = (of: (each: PeerTotals) => readonly number[], length: number): readonly number[] =>
    Array.from({ length }, (_, index) => sum((each) => of(each)[index] ?? 0));
  gauges.set(
    "muster_peers_scheduling",
    ["cordoned"],
    sum(({ cordoned }) => cordoned),
  );
  gauges.set(
    "muster_peers_scheduling",
    ["draining"],
    sum(({ draining }) => draining),
  );
  const active = connected.filter(({ state }) => state === "active");
  gauges.set(
    "muster_peer_slots",
    [],
    sum(({ slots }) => slots, active),
  );
  const rtts = sums(({ rtts: each }) => each, BOUNDS.rttMs.length + 1);
  gauges.setHistogram("muster_peer_rtt_seconds", rtts, sum(({ rttSum }) => rttSum) / SECOND);
  const scores = sums(({ scores: each }) => each, BOUNDS.score.length + 1);
  gauges.setHistogram(
    "muster_peer_score",
    scores,
    sum(({ scoreSum }) => scoreSum),
  );
  const { peer, kind } = registry.circuits.resting.counts;
  gauges.set("muster_circuits_open", ["peer"], peer);
  gauges.set("muster_circuits_open", ["kind"], kind);
}
