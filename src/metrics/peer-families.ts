import { ERROR_CODES } from "../protocol/error-statuses.ts";
import { PEER_STATES, PROTOCOLS } from "../protocol/http.ts";
import { ROLES } from "../protocol/labels.ts";
import { OTHER, type MetricFamily } from "./family.ts";

/** Where something was refused. */
const REFUSAL_PLACES = [
  /** An HTTP request or a connection, before its caller was known. */
  "gateway",
  /** A handshake, before the peer was proved. */
  "handshake",
  /** A proved peer. */
  "admission",
  /** A task. */
  "submission",
  /** Another command. */
  "command",
] as const;
export type RefusalPlace = (typeof REFUSAL_PLACES)[number];

const CIRCUIT_SCOPES = ["peer", "kind"] as const;

/** Peers, their sessions and their measurements. */
export const PEER_FAMILIES = {
  muster_peers: {
    type: "gauge",
    help: "Peers by state and role.",
    unit: null,
    labels: { state: PEER_STATES, role: ROLES },
  },
  muster_peers_scheduling: {
    type: "gauge",
    help: "Connected peers that get no new tasks.",
    unit: null,
    labels: { scheduling: ["cordoned", "draining"] },
  },
  muster_peer_slots: {
    type: "gauge",
    help: "Slots of the active peers, as they announce them.",
    unit: null,
    labels: {},
  },
  muster_peer_rtt_seconds: {
    type: "gaugehistogram",
    help: "Smoothed round trips of the connected peers that were measured.",
    unit: "seconds",
    labels: {},
    bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2],
  },
  muster_peer_score: {
    type: "gaugehistogram",
    help: "Scores of the connected peers.",
    unit: null,
    labels: {},
    bounds: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  },
  muster_peer_state_changes: {
    type: "counter",
    help: "Changes of peers into a state.",
    unit: null,
    labels: { state: PEER_STATES },
    isWritten: true,
  },
  muster_sessions_begun: {
    type: "counter",
    help: "Handshakes that ended with a session.",
    unit: null,
    labels: { protocol: PROTOCOLS },
    isWritten: true,
  },
  muster_refusals: {
    type: "counter",
    help: "What was refused, by where it was refused and by error code.",
    unit: null,
    labels: { place: REFUSAL_PLACES, reason: [...ERROR_CODES, OTHER] },
    isWritten: true,
  },
  muster_circuits_open: {
    type: "gauge",
    help: "Circuits that are not closed: of whole peers, and of peers for one kind.",
    unit: null,
    labels: { scope: CIRCUIT_SCOPES },
  },
  muster_circuits_opened: {
    type: "counter",
    help: "Circuits that opened.",
    unit: null,
    labels: { scope: CIRCUIT_SCOPES },
    isWritten: true,
  },
} as const satisfies Record<string, MetricFamily>;
