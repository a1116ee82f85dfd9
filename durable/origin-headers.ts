/** How the gateway tells a session's object where a socket came from. What a client sends under these names is dropped. */
export const ORIGIN_HEADERS = {
  address: "x-muster-address",
  latitude: "x-muster-latitude",
  longitude: "x-muster-longitude",
} as const;
