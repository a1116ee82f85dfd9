import { toRfc3339, type Millis } from "../../base/clock.ts";
import type { PeerAdvert } from "../../peers/advertised-peer.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { OPEN, shownScheduling } from "../../peers/scheduling.ts";
import type { PeerView } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { ASSUMED_KNOWN } from "../../scoring/hops.ts";
import { score, type Score } from "../../scoring/score.ts";
import { timeOrNull } from "../kernel/time-or-null.ts";

export const peerView = (peer: Peer, scored: Score): PeerView => ({
  id: peer.id,
  name: peer.name,
  public_key: peer.publicKey,
  address: peer.address,
  role: peer.role,
  added_at: toRfc3339(peer.addedAt),
  last_seen: timeOrNull(peer.lastSeen),
  ping_ms: peer.rtt?.smoothedMs ?? null,
  hops: peer.hops,
  geo_km: peer.geoKm,
  ...scored,
  connected: isConnected(peer.state),
  state: peer.state,
  ...shownScheduling(peer.scheduling),
  protocol: peer.protocol,
  go_p2p_generation: peer.goP2pGeneration,
  capabilities: [...peer.capabilities],
  kinds: [...peer.kinds],
  slots: peer.slots,
  tasks: peer.held,
  successes: peer.successes,
  failures: peer.failures,
});

/** A peer that is known only because another peer advertised it, in the form of every other peer. */
export const advertisedPeerView = (advert: PeerAdvert): PeerView => ({
  ...unprovedPeerView(advert),
  told_by: { peer_id: advert.advertiser, ping_ms: advert.rttMs },
});

/** A key that the mesh has no record of, in the form of every other peer. */
export const unknownPeerView = <PublicKey extends string | null>(
  peerId: PeerId,
  publicKey: PublicKey,
  now: Millis,
) =>
  unprovedPeerView({
    peerId,
    publicKey,
    address: "",
    role: "worker",
    advertisedAt: now,
    hops: null,
  });

const unprovedPeerView = <PublicKey extends string | null>(
  known: Pick<PeerAdvert, "peerId" | "address" | "role" | "advertisedAt"> & {
    readonly publicKey: PublicKey;
    readonly hops: number | null;
  },
) => ({
  id: known.peerId,
  name: "",
  public_key: known.publicKey,
  address: known.address,
  role: known.role,
  added_at: toRfc3339(known.advertisedAt),
  last_seen: null,
  ping_ms: null,
  hops: known.hops,
  geo_km: null,
  ...score({
    rttMs: null,
    // Another peer says so.
    hops: known.hops,
    hopsKnown: ASSUMED_KNOWN,
    direct: false,
    geoKm: null,
    successes: 0,
    failures: 0,
    uptime: null,
  }),
  connected: false,
  state: "discovered" as const,
  ...shownScheduling(OPEN),
  protocol: null,
  go_p2p_generation: null,
  capabilities: [],
  kinds: [],
  slots: 0,
  tasks: 0,
  successes: 0,
  failures: 0,
});
