import type { MeshEvent } from "../protocol/events.ts";
import type { MetricCounters } from "./metric-counters.ts";

/** Counts the events that metrics are made of. */
export function countEvent(metrics: MetricCounters, event: MeshEvent): void {
  if (event.type === "circuit.opened")
    metrics.count("muster_circuits_opened", [event.kind === null ? "peer" : "kind"]);
  else if ("state" in event && event.type === `peer.${event.state}`)
    metrics.count("muster_peer_state_changes", [event.state]);
}
