import type { Peer } from "../peers/peer.ts";
import type { PeerScheduling } from "../peers/scheduling.ts";
import type { Region } from "../protocol/discovery.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import type { PeerState, Protocol, Scheduling } from "../protocol/http.ts";
import type { Role } from "../protocol/messages.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import {
  flag,
  json,
  number,
  numberOrNull,
  text,
  textOrNull,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";

/** A peer from before variance and minimum were stored: its RTT stands in for both. */
function readRtt(row: SqlRow): RttEstimate | null {
  const smoothedMs = numberOrNull(row, "rtt_ms");
  return smoothedMs === null
    ? null
    : {
        smoothedMs,
        varianceMs: numberOrNull(row, "rtt_var_ms") ?? smoothedMs / 2,
        minMs: numberOrNull(row, "rtt_min_ms") ?? smoothedMs,
        samples: Math.max(1, number(row, "rtt_samples")),
      };
}

export const readScheduling = (row: SqlRow): PeerScheduling => ({
  operator: text(row, "scheduling") as Scheduling,
  drainUntil: numberOrNull(row, "drain_until"),
  leaving: flag(row, "leaving"),
});

export const readPeer = (row: SqlRow): Peer => ({
  id: text(row, "id"),
  name: text(row, "name"),
  publicKey: text(row, "public_key"),
  address: text(row, "address"),
  network: text(row, "network"),
  colo: text(row, "colo"),
  role: text(row, "role") as Role,
  addedAt: number(row, "added_at"),
  lastSeen: numberOrNull(row, "last_seen"),
  state: text(row, "state") as PeerState,
  since: number(row, "state_since"),
  flaps: { penalty: number(row, "flap_penalty"), at: number(row, "flap_at") },
  scheduling: readScheduling(row),
  epoch: number(row, "epoch"),
  seq: number(row, "seq"),
  silentAt: numberOrNull(row, "silent_at"),
  lostAt: numberOrNull(row, "lost_at"),
  session: textOrNull(row, "session"),
  protocol: textOrNull(row, "protocol") as Protocol | null,
  goP2pGeneration: numberOrNull(row, "go_p2p_generation") as GoP2pGeneration | null,
  tookOver: flag(row, "took_over"),
  spokeMuster2: flag(row, "spoke_muster2"),
  speaksMuster: flag(row, "speaks_muster"),
  mayAssign: flag(row, "may_assign"),
  capabilities: json(row, "capabilities"),
  kinds: json(row, "kinds"),
  slots: number(row, "slots"),
  earnedSlots: number(row, "earned_slots"),
  prefetch: flag(row, "prefetch"),
  held: number(row, "held"),
  rtt: readRtt(row),
  tcpRttMs: numberOrNull(row, "tcp_rtt_ms"),
  hops: numberOrNull(row, "hops"),
  geoKm: numberOrNull(row, "geo_km"),
  region: textOrNull(row, "region") as Region | null,
  successes: number(row, "successes"),
  failures: number(row, "failures"),
  score: number(row, "score"),
});

export const writePeer = (peer: Peer): Record<string, SqlValue> => ({
  id: peer.id,
  name: peer.name,
  public_key: peer.publicKey,
  address: peer.address,
  network: peer.network,
  colo: peer.colo,
  role: peer.role,
  added_at: peer.addedAt,
  last_seen: peer.lastSeen,
  state: peer.state,
  state_since: peer.since,
  flap_penalty: peer.flaps.penalty,
  flap_at: peer.flaps.at,
  scheduling: peer.scheduling.operator,
  drain_until: peer.scheduling.drainUntil,
  leaving: Number(peer.scheduling.leaving),
  epoch: peer.epoch,
  seq: peer.seq,
  silent_at: peer.silentAt,
  lost_at: peer.lostAt,
  session: peer.session,
  protocol: peer.protocol,
  go_p2p_generation: peer.goP2pGeneration,
  took_over: Number(peer.tookOver),
  spoke_muster2: Number(peer.spokeMuster2),
  speaks_muster: Number(peer.speaksMuster),
  may_assign: Number(peer.mayAssign),
  capabilities: JSON.stringify(peer.capabilities),
  kinds: JSON.stringify(peer.kinds),
  slots: peer.slots,
  earned_slots: peer.earnedSlots,
  prefetch: Number(peer.prefetch),
  held: peer.held,
  rtt_ms: peer.rtt?.smoothedMs ?? null,
  rtt_var_ms: peer.rtt?.varianceMs ?? null,
  rtt_min_ms: peer.rtt?.minMs ?? null,
  rtt_samples: peer.rtt?.samples ?? 0,
  tcp_rtt_ms: peer.tcpRttMs,
  hops: peer.hops,
  geo_km: peer.geoKm,
  region: peer.region,
  successes: peer.successes,
  failures: peer.failures,
  score: peer.score,
});
