import { MINUTE } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import type { Job } from "../kernel/job.ts";
import { endDrains } from "./drains.ts";
import { applyPeerEvent } from "./lifecycle.ts";

/** Peers evicted in one tick: each costs some row writes, and the next tick evicts the rest. */
const EVICTED_AT_ONCE = 200;

/**
 * Evicts peers that were away for the retention time. No peer of a network or location is evicted during a correlated failure of
 * it (LV12).
 */
const evictPeers: Job = {
  name: "evict_peers",
  run(context) {
    const { registry, config, now } = context;
    const before = now - config.retention;
    // Nearly always nobody is, and the search for all of them costs ten times as much.
    if ((registry.peers.longestAway() ?? Infinity) >= before) return;
    for (const id of registry.peers.awaySince(before, now, EVICTED_AT_ONCE))
      applyPeerEvent(context, registry.peers.get(id) as Peer, "retention_over");
  },
  due: {
    reads: ["peers", "correlatedFailures"],
    at({ registry, config, now }) {
      const away = registry.peers.longestAway();
      if (away === null) return null;
      return Math.max(
        away + config.retention + 1,
        registry.correlatedFailures.anyCorrelated(now) ? now + MINUTE : 0,
      );
    },
  },
};

export const peerJobs: readonly Job[] = [endDrains, evictPeers];
