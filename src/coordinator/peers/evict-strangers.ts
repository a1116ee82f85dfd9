import type { Peer } from "../../peers/peer.ts";
import type { Context } from "../kernel/context.ts";
import { applyPeerEvent } from "./lifecycle.ts";
import { strangerLimits } from "./record-limits.ts";

/**
 * Called when a peer has got a record: evicts the strangers whose records are worth least when there are too many. They are
 * disconnected and hold nothing; those that never completed a task go first, then those that left first.
 */
export function evictStrangers(context: Context): void {
  const { registry, config } = context;
  const { records } = strangerLimits(config);
  if (!registry.trims.isDue("peers", records)) return;
  for (const id of registry.peers.strangersAbove(records))
    applyPeerEvent(context, registry.peers.get(id) as Peer, "retention_over");
}
