import type { Millis } from "../../base/clock.ts";
import type { Place } from "../../base/place.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { ROUTE_REPORT_INTERVAL, type Route } from "../../protocol/route.ts";
import { addServed, relativeTime } from "../../scoring/earned-slots.ts";
import { nothingObserved, PLATFORM_SOURCE } from "../../scoring/observed.ts";
import { addServiceTime, averageServiceTime } from "../../scoring/service-time.ts";
import { uptimeAfter } from "../../scoring/uptime.ts";
import { usableSlots } from "../../tasks/eligibility.ts";
import type { Attempt } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";

/** Counts the time since the last change toward the state that ends now. `proved` begins a session. */
export function noteConnection(context: Context, before: Peer, proved: boolean): void {
  const { registry, now } = context;
  const observed = registry.observed.get(before.id) ?? nothingObserved(now);
  const met = observed.uptime !== null || proved;
  const was = observed.uptime === null || isConnected(before.state);
  registry.observed.put(before.id, {
    ...observed,
    uptime: met ? uptimeAfter(observed.uptime, was, now) : null,
    connectedAt: proved ? now : observed.connectedAt,
  });
}

/** Stores the location that a peer connected from, when it is known. */
export function notePlace(
  { registry, now }: Context,
  peerId: PeerId,
  place: Place | null,
  source: string = PLATFORM_SOURCE,
): void {
  if (place === null) return;
  const observed = registry.observed.get(peerId) ?? nothingObserved(now);
  registry.observed.put(peerId, { ...observed, place: { ...place, source, at: now } });
}

/** Stores the network path that a peer reports. A peer that reports more often than it measures is not heard. */
export function noteRoute({ registry, now }: Context, peerId: PeerId, route: Route): void {
  const observed = registry.observed.get(peerId) ?? nothingObserved(now);
  if (observed.route !== null && now - observed.route.at < ROUTE_REPORT_INTERVAL) return;
  registry.observed.put(peerId, { ...observed, route: { ...route, at: now } });
}

/** Learns from a successful attempt how long tasks of its kind take, at this peer and at any peer. */
export function learnServiceTime(
  { registry, now }: Context,
  kind: string,
  { peerId, begunAt, startedAt }: Attempt,
): void {
  // The session's object and the coordinator may have different clocks.
  const serviceMs = now - Math.max(begunAt ?? startedAt, startedAt);
  const { serviceTimes, kinds } = registry;
  const all = kinds.get(kind);
  const ratio = relativeTime(serviceMs, all.service?.meanMs ?? serviceMs);
  learnParallelism(registry, peerId, ratio, now);
  serviceTimes.put(peerId, kind, addServiceTime(serviceTimes.get(peerId, kind), serviceMs, now));
  kinds.put(kind, { ...all, service: averageServiceTime(all.service, serviceMs), usedAt: now });
}

/** Learns from a served task how many tasks the peer serves at once. */
function learnParallelism(
  registry: Context["registry"],
  peerId: PeerId,
  ratio: number,
  now: Millis,
): void {
  const peer = registry.peers.get(peerId);
  if (peer === null) return;
  const observed = registry.observed.get(peerId) ?? nothingObserved(now);
  // A prefetched task waits for a slot, and does not run.
  const running = Math.min(peer.held, usableSlots(peer));
  const parallelism = addServed(observed.parallelism, { ratio, running });
  registry.observed.put(peerId, { ...observed, parallelism });
}

/** Forgets what was learned about a peer whose record is removed. */
export function forgetEvidence({ registry }: Context, peerId: PeerId): void {
  registry.observed.remove(peerId);
  registry.serviceTimes.remove(peerId);
  registry.circuits.remove(peerId);
}

export function moveEvidence({ registry }: Context, from: PeerId, to: PeerId): void {
  registry.observed.move(from, to);
  registry.serviceTimes.move(from, to);
  registry.circuits.move(from, to);
}
