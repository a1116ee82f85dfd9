import type { ProvedKey } from "../../peers/dial.ts";
import { newPeer } from "../admission/admit.ts";
import type { Context } from "../kernel/context.ts";
import { savePeer } from "../peers/scored-peers.ts";

/** Lists a peer that is to be dialed as `discovered`. A record that a proof established stays unchanged. */
export function listAsDiscovered(
  context: Context,
  key: ProvedKey,
  name: string,
  address: string,
): void {
  const { registry } = context;
  if (registry.peers.get(key.peerId) !== null) return;
  const removed = registry.tombstones.get(key.peerId);
  savePeer(context, {
    ...newPeer(context, key),
    name,
    address,
    network: "",
    colo: "",
    region: null,
    role: "worker",
    lastSeen: null,
    epoch: removed?.epoch ?? 0,
    seq: 0,
    session: null,
    protocol: null,
    goP2pGeneration: null,
    spokeMuster2: removed?.spokeMuster2 ?? false,
    speaksMuster: false,
    mayAssign: false,
    capabilities: [],
    kinds: [],
    slots: 1,
    prefetch: false,
    rtt: null,
    tcpRttMs: null,
    hops: null,
    geoKm: null,
  });
}
