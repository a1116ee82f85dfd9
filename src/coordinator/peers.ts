import type { Millis } from "../base/clock.ts";
import { isConnected } from "../peers/lifecycle.ts";
import type { Peer } from "../peers/peer.ts";
import type { PeerId } from "../protocol/ids.ts";
import { score, type Metrics } from "../scoring/score.ts";
import type { Allowed } from "../registry/allowlist.ts";
import type { Standing } from "../peers/admission.ts";
import { authMode, type Context } from "./context.ts";
import type { EndFault, SessionRef } from "./effects.ts";

/** Writes a peer with the score that follows from its metrics, and returns it so. */
export function savePeer({ registry }: Context, peer: Peer): Peer {
  const scored = { ...peer, score: score(metricsOf(peer)).score };
  registry.peers.put(scored);
  return scored;
}

/** What its score is made of. */
export const metricsOf = ({ rtt, hops, geoKm, successes, failures }: Peer): Metrics => ({
  rttMs: rtt?.smoothedMs ?? null,
  hops,
  geoKm,
  successes,
  failures,
});

/** The peer's live session; null when it has none. */
export const sessionOf = (peer: Peer): SessionRef | null =>
  isConnected(peer.state) && peer.session !== null
    ? { peerId: peer.id, session: peer.session, epoch: peer.epoch }
    : null;

/** The peer of this ID, or of the key that it has rotated to. */
export const peerOf = ({ registry, now }: Context, id: PeerId): Peer | null =>
  registry.peers.get(id) ?? registry.peers.get(registry.aliases.resolve(id, now));

/** What the registry knows of a key, for deciding about it: also whether it comes by the weaker protocol unbidden. */
export const standingOf = (
  context: Context,
  { id, spokeMuster2, protocol }: Pick<Peer, "id" | "spokeMuster2" | "protocol">,
  entry: Allowed | null,
): Standing => ({
  mode: authMode(context),
  denied: context.registry.denylist.reasonOf(id),
  allowedRoles: entry?.roles ?? null,
  downgraded: spokeMuster2 && protocol === "go-p2p/1.0" && entry?.goP2p !== true,
});

/** How an attempt ended for its peer: what it says of the peer is scoring's to weigh. */
export type Outcome = "success" | "failure" | "timeout" | "refusal" | "none";

/** The peer no longer holds one attempt, which ended so for it. */
export function settle(context: Context, peerId: PeerId, outcome: Outcome): void {
  const peer = context.registry.peers.get(peerId);
  if (peer === null) return; // forgotten meanwhile
  savePeer(context, {
    ...peer,
    held: Math.max(0, peer.held - 1),
    successes: peer.successes + Number(outcome === "success"),
    failures: peer.failures + Number(outcome === "failure" || outcome === "timeout"),
  });
}

/** How long the direct attempt to end a session has before the outbox repeats it. */
const END_SESSION_REPEAT: Millis = 10_000;

/** Ends a session for a reason that must hold: now, and by the outbox until the session confirms. */
export function endSession(context: Context, peer: Peer, fault: EndFault): void {
  const to = sessionOf(peer);
  if (to === null) return;
  context.effects.push({ type: "end_session", to, fault });
  context.registry.outbox.add(
    "end_session",
    endSessionItem(to, fault),
    context.now + END_SESSION_REPEAT,
  );
}

/** Sessions of a peer that have not confirmed their end yet. */
export const unconfirmedEnds = ({ registry }: Context, peerId: PeerId): readonly SessionRef[] =>
  registry.outbox
    .subjects("end_session", `[${JSON.stringify(peerId)},`)
    .map((subject) => readEndSession(subject).to);

/** The outbox's subject for the end of a session; read back by `readEndSession`. */
export const endSessionItem = (to: SessionRef, fault: EndFault): string =>
  JSON.stringify([to.peerId, to.session, to.epoch, fault.code, fault.detail]);

export function readEndSession(subject: string): {
  readonly to: SessionRef;
  readonly fault: EndFault;
} {
  const [peerId, session, epoch, code, detail] = JSON.parse(subject) as [
    string,
    string,
    number,
    EndFault["code"],
    string,
  ];
  return { to: { peerId, session, epoch }, fault: { code, detail } };
}

/** The outbox's subject for asking a peer whether it is there; read back by `readProbe`. */
export const probeItem = ({ peerId, session, epoch }: SessionRef): string =>
  JSON.stringify([peerId, session, epoch]);

export function readProbe(subject: string): SessionRef {
  const [peerId, session, epoch] = JSON.parse(subject) as [string, string, number];
  return { peerId, session, epoch };
}
