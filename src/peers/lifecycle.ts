import type { PeerState } from "../protocol/http.ts";

/** What happens to a peer, as far as its state goes. */
export type PeerEvent = "proved" | "answered" | "missed_answer" | "gone" | "revoked";

/**
 * The lifecycle of DESIGN §4: the state after an event. A revoked peer stays revoked whatever its sockets still do;
 * only the operator's lifting of the deny entry (which forgets the state) brings it back.
 */
export function nextState(state: PeerState, event: PeerEvent): PeerState {
  if (event === "revoked" || state === "revoked") return "revoked";
  switch (event) {
    case "proved":
      return "active";
    case "answered":
      return state === "suspect" ? "active" : state;
    case "missed_answer":
      return state === "active" ? "suspect" : state;
    case "gone":
      return state === "active" || state === "suspect" ? "stale" : state;
    default:
      return event satisfies never;
  }
}

/** Whether a peer in this state has a live session. */
export const isConnected = (state: PeerState): boolean => state === "active" || state === "suspect";
