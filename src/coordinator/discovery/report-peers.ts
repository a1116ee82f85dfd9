import { toHex, utf8 } from "../../base/bytes.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { ConnectedPeer } from "../../contract/cell-messages.ts";
import { formerHomesOf } from "../../cells/topology.ts";
import { sha256 } from "../../crypto/primitives.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { DialRef } from "../../peers/dial.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { PeerRecord } from "../../protocol/peer-record.ts";
import { NOT_REPORTED, type ReportedPeer } from "../../registry/reported-peers.ts";
import { sendToCell } from "../cells/send-message.ts";
import type { Context } from "../kernel/context.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { publicDetails } from "./public-metadata.ts";
import { fingerprintOf } from "./record-fingerprint.ts";
import { recordOf } from "./subjects.ts";

/**
 * A cell other than cell 0 tells it which of its peers are connected, and what is published of them. The outbox has one entry for each peer
 * whose state cell 0 does not know, so that however long cell 0 is down, what waits for it does not grow with the events of a peer.
 */

/** Messages that wait for cell 0. While there are more, entries stay in the outbox. */
const WAITING_MAX = 512;
const PAUSE: Millis = 5 * SECOND;
/** How often public measurements are looked at: as often as public metadata is refreshed. */
const METADATA_INTERVAL: Millis = 15 * MINUTE;

/** Tells cell 0 of a peer as it is now, unless cell 0 knows it. Nothing is left to store here. */
export function reportPeer(context: Context, peerId: PeerId) {
  const { registry, now, random } = context;
  if (registry.cellMessages.count(0) >= WAITING_MAX) {
    addToOutbox(context, { kind: "publish", peerId }, now + PAUSE * (1 + random()));
    return ok(null);
  }
  registry.outbox.remove({ kind: "publish", peerId });
  const peer = registry.peers.get(peerId);
  const reported = reportedOf(context, peerId);
  if (peer !== null && isConnected(peer.state)) reportConnected(context, peer, reported);
  else if (isKnown(reported)) reportDeparture(context, reported);
  else if (!reported.hasLeft) registry.reportedPeers.remove(peerId);
  return ok(null);
}

const reportedOf = ({ registry }: Context, peerId: PeerId): ReportedPeer =>
  registry.reportedPeers.get(peerId) ?? { peerId, ...NOT_REPORTED };

/** Whether cell 0 has the peer as connected. */
const isKnown = ({ session, hasLeft }: ReportedPeer): boolean => session > 0 && !hasLeft;

function reportConnected(context: Context, peer: Peer, reported: ReportedPeer): void {
  const { registry } = context;
  const isSame = isKnown(reported) && reported.session === peer.epoch;
  const dial = reported.dial?.session === peer.epoch ? reported.dial : null;
  const report: ConnectedPeer = {
    peerId: peer.id,
    publicKey: peer.publicKey,
    session: peer.epoch,
    listed: registry.allowlist.lists(peer.id),
    // A peer that flaps is published once it is active (LV9).
    record: peer.state === "active" || isSame ? sentRecord(recordOf(context, peer)) : null,
    dial: dial && { id: dial.id, attempt: dial.attempt },
  };
  const digest = digestOf(context, report);
  if (isSame && reported.digest === digest) return;
  if (registry.settings.metadataDue() === null)
    registry.settings.setMetadataDue(context.now + METADATA_INTERVAL);
  const seq = sendToCell(context, 0, { type: "peer_connected", peer: report });
  registry.reportedPeers.put({
    peerId: peer.id,
    session: peer.epoch,
    digest,
    dial,
    reason: "",
    lingers: false,
    hasLeft: false,
    seq,
  });
}

/** Only the attributes of a record: what else is shown of a peer changes with each of its tasks. */
const sentRecord = (record: PeerRecord): PeerRecord => ({
  id: record.id,
  name: record.name,
  public_key: record.public_key,
  address: record.address,
  role: record.role,
  added_at: record.added_at,
  last_seen: record.last_seen,
  ping_ms: record.ping_ms,
  hops: record.hops,
  geo_km: record.geo_km,
  score: record.score,
  connected: record.connected,
  capabilities: record.capabilities,
  kinds: record.kinds,
  region: record.region,
});

/** Measurements count only as far as they are public. */
const digestOf = (context: Context, { record, listed, dial }: ConnectedPeer): string => {
  const published = record && [fingerprintOf(record), publicDetails(context, record)];
  return toHex(sha256(utf8(canonicalJson([published, listed, dial && { ...dial }]))));
};

/** The peer has no session any more, and nothing of it is published here: cell 0 is told. */
export function departed(context: Context, peerId: PeerId, lingers: boolean): void {
  const { registry } = context;
  const reported = registry.reportedPeers.get(peerId);
  if (reported !== null && isKnown(reported)) {
    registry.reportedPeers.put({ ...reported, lingers });
    addToOutbox(context, { kind: "publish", peerId });
    return;
  }
  registry.outbox.remove({ kind: "publish", peerId });
  if (reported?.hasLeft === false) registry.reportedPeers.remove(peerId);
}

/** Tells cell 0 of measurements that are public, as far as they have changed. */
export function reportMeasured(context: Context): void {
  const { registry, config, now } = context;
  const due = registry.settings.metadataDue();
  if (!config.discovery.publicFields.includes("score") || due === null || due > now) return;
  for (const peerId of registry.reportedPeers.all()) reportPeer(context, peerId);
  registry.settings.setMetadataDue(now + METADATA_INTERVAL);
}

/** Why a peer that cell 0 may have dialed has left. */
export function noteReason({ registry }: Context, peerId: PeerId, reason: string): void {
  const reported = registry.reportedPeers.get(peerId);
  if (reported !== null && reported.dial !== null)
    registry.reportedPeers.put({ ...reported, reason });
}

/** The session that begins came of a dial of cell 0. */
export function noteDial(
  context: Context,
  { id: peerId, epoch }: Pick<Peer, "id" | "epoch">,
  { id, attempt }: DialRef,
): void {
  const dial = { id, attempt, session: epoch };
  context.registry.reportedPeers.put({ ...reportedOf(context, peerId), dial });
}

function reportDeparture(context: Context, reported: ReportedPeer): number {
  const { peerId, session, reason, lingers } = reported;
  const seq = sendToCell(context, 0, {
    type: "peer_left",
    left: { peerId, session, reason, lingers },
  });
  context.registry.reportedPeers.put({ ...reported, hasLeft: true, seq });
  return seq;
}

/**
 * The peer must not be found any more once the caller of the command has its answer. In cell 0, and in a mesh of one cell, that is so when
 * the command commits; from another cell, cell 0 has to take it.
 */
export function awaitWithdrawal(context: Context, peerId: PeerId): void {
  const { registry, now } = context;
  const { own, topology } = registry.cells;
  if (own === 0) return;
  const reported = registry.reportedPeers.get(peerId);
  // A cell that had the peer before may have reported it.
  if (reported === null && formerHomesOf(topology, peerId, now).length === 0) return;
  const session = Math.max(reported?.session ?? 0, registry.peers.get(peerId)?.epoch ?? 0);
  const seq = reported?.hasLeft
    ? reported.seq
    : reportDeparture(context, { ...reportedOf(context, peerId), session, lingers: false });
  registry.outbox.remove({ kind: "publish", peerId });
  awaitReport(context, seq);
}

/** A peer has lost rights. Cell 0 knows it once the caller of the command has its answer: as another report, or as the peer's departure. */
export function awaitRights(context: Context, peerId: PeerId): void {
  const { registry } = context;
  if (registry.cells.own === 0) return;
  const peer = registry.peers.get(peerId);
  if (peer === null || !isConnected(peer.state)) return awaitReported(context, peerId);
  reportConnected(context, peer, reportedOf(context, peerId));
  awaitReport(context, registry.reportedPeers.get(peerId)?.seq ?? 0);
}

/** A peer has other rights than before, and may have lost its session. */
export function reportRights(context: Context, peerId: PeerId): void {
  const { registry } = context;
  if (registry.cells.own === 0) return;
  const peer = registry.peers.get(peerId);
  if (peer === null || !isConnected(peer.state)) return awaitReported(context, peerId);
  addToOutbox(context, { kind: "publish", peerId });
}

function awaitReported(context: Context, peerId: PeerId): void {
  if (context.registry.reportedPeers.get(peerId) !== null) awaitWithdrawal(context, peerId);
}

/** Also a message that was sent before: an earlier command may not have seen it taken. */
function awaitReport(context: Context, seq: number): void {
  if (!context.registry.cellMessages.waits(0, seq)) return;
  addToOutbox(context, { kind: "send_to_cell", cell: 0 });
  context.effects.push({ type: "await_cell", cell: 0, isRequired: true, seq });
}
