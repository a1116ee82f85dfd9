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
