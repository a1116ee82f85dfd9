import type { Place } from "../../base/place.ts";
import type { Requirements } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { greatCircleKm, leastRttMs } from "../../scoring/measure.ts";
import { pairRtt } from "../../scoring/pair-rtt.ts";
import type { Context } from "../kernel/context.ts";
import { peerOf } from "./scored-peers.ts";

/**
 * Estimated round-trip time in milliseconds between a peer and what a task asks to be near; null when it is unknown.
 */
export type Nearness = (peerId: PeerId, place: Place | null) => number | null;

const NOWHERE: Nearness = () => null;

/**
 * How near peers are to a location: by the time that light needs. To another peer: as measured, or by both peers'
 * coordinates, or by their locations where neither is known.
 */
export function nearnessTo(context: Context, near: Requirements["near"]): Nearness {
  if (near === undefined) return NOWHERE;
  if (!("peer_id" in near)) return toPlace(near);
  const { registry, now } = context;
  const target = peerOf(context, near.peer_id);
  if (target === null) return NOWHERE;
  const there = registry.coordinates.get(target.id);
  const byPlace = toPlace(registry.observed.get(target.id)?.place ?? null);
  return (peerId, place) => {
    if (peerId === target.id) return 0;
    const ways = [
      registry.pairRtts.get(peerId, target.id),
      registry.pairRtts.get(target.id, peerId),
    ];
    return (
      pairRtt([registry.coordinates.get(peerId), there], ways, now).rttMs ?? byPlace(peerId, place)
    );
  };
}

const toPlace =
  (there: Place | null): Nearness =>
  (_peerId, place) =>
    place === null || there === null ? null : leastRttMs(greatCircleKm(place, there));
