import { placeOf } from "../src/base/place.ts";
import type { Origin } from "../src/session/state.ts";

/** How the gateway tells a session's object where a socket came from. What a client sends under these names is dropped. */
export const ORIGIN_HEADERS = {
  address: "x-muster-address",
  latitude: "x-muster-latitude",
  longitude: "x-muster-longitude",
  network: "x-muster-network",
  colo: "x-muster-colo",
  tcpRtt: "x-muster-tcp-rtt",
  /** The mesh's key that the socket asked for, and for muster.2 the peer whose key it must prove. */
  mesh: "x-muster-mesh",
  peer: "x-muster-peer",
} as const;

/** Where a socket came from, by the headers that the gateway wrote; `meshId` is the mesh's own key where none was asked for. */
export function readOrigin(headers: Headers, meshId: string): Origin {
  const text = (name: string): string => headers.get(name) ?? "";
  return {
    address: text(ORIGIN_HEADERS.address),
    place: placeOf(headers.get(ORIGIN_HEADERS.latitude), headers.get(ORIGIN_HEADERS.longitude)),
    network: text(ORIGIN_HEADERS.network),
    colo: text(ORIGIN_HEADERS.colo),
    tcpRttMs: Number(text(ORIGIN_HEADERS.tcpRtt)) > 0 ? Number(text(ORIGIN_HEADERS.tcpRtt)) : null,
    meshId: headers.get(ORIGIN_HEADERS.mesh) ?? meshId,
  };
}

/** Of a peer that was dialled the platform tells nothing of the kind. */
export const UNKNOWN_PLACE = { place: null, network: "", colo: "", tcpRttMs: null } as const;
