import { placeOf } from "../src/base/place.ts";
import type { Origin } from "../src/session/state.ts";

/** Headers by which the gateway informs a session's object where a socket came from. The gateway drops such headers of clients. */
export const ORIGIN_HEADERS = {
  address: "x-muster-address",
  latitude: "x-muster-latitude",
  longitude: "x-muster-longitude",
  /** Who located the address, percent-encoded; empty for the platform. */
  placeSource: "x-muster-place-source",
  network: "x-muster-network",
  colo: "x-muster-colo",
  tcpRtt: "x-muster-tcp-rtt",
  /** ID of the mesh key that the peer connected to; for muster.2 also the ID of the peer whose key it must prove. */
  mesh: "x-muster-mesh",
  peer: "x-muster-peer",
} as const;

/** Reads where a socket came from. `meshId`: the ID of the mesh's current key, for a peer that named none. */
export function readOrigin(headers: Headers, meshId: string): Origin {
  const text = (name: string): string => headers.get(name) ?? "";
  const placeSource = decodeURIComponent(text(ORIGIN_HEADERS.placeSource));
  return {
    address: text(ORIGIN_HEADERS.address),
    place: placeOf(headers.get(ORIGIN_HEADERS.latitude), headers.get(ORIGIN_HEADERS.longitude)),
    ...(placeSource !== "" && { placeSource }),
    network: text(ORIGIN_HEADERS.network),
    colo: text(ORIGIN_HEADERS.colo),
    tcpRttMs: Number(text(ORIGIN_HEADERS.tcpRtt)) > 0 ? Number(text(ORIGIN_HEADERS.tcpRtt)) : null,
    meshId: headers.get(ORIGIN_HEADERS.mesh) ?? meshId,
  };
}

/** The platform does not report the place or network of a peer that the mesh dialed. */
export const UNKNOWN_PLACE = { place: null, network: "", colo: "", tcpRttMs: null } as const;
