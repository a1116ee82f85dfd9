/** The rows of the table of peers: which are shown, and in which order. */
import type { PeerView } from "../../../src/protocol/http.ts";

export const PEER_COLUMNS = ["name", "state", "score", "ping", "load", "outcomes", "seen"] as const;
export type PeerColumn = (typeof PEER_COLUMNS)[number];

export interface PeerSort {
  readonly by: PeerColumn;
  readonly descending: boolean;
}

export interface PeerFilter {
  /** Parts of the name, the ID, a kind, a label or the address; a peer has all of them, in any case. */
  readonly text: string;
  /** A state, `cordoned`, `draining`, or `resting` for peers with an open circuit; empty for all. */
  readonly state: string;
  readonly role: string;
}

/** The condition of a peer in one word: what an operator decides over its state in the registry. */
export function conditionOf({ state, connected, scheduling, circuits }: PeerView): string {
  if (!connected) return state;
  if (scheduling !== "open") return scheduling;
  if (circuits?.some((circuit) => circuit.kind === null) === true) return "resting";
  return state;
}

export function matches(peer: PeerView, { text, state, role }: PeerFilter): boolean {
  if (role !== "" && peer.role !== role) return false;
  if (state === "connected" ? !peer.connected : state !== "" && !isIn(peer, state)) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = [peer.name, peer.id, peer.address, ...peer.kinds, ...peer.capabilities]
    .join("\n")
    .toLowerCase();
  return words.every((word) => haystack.includes(word));
}

const isIn = (peer: PeerView, state: string): boolean =>
  peer.state === state ||
  conditionOf(peer) === state ||
  (state === "resting" && (peer.circuits?.length ?? 0) > 0);

/** The peers in the order of a column; peers with the same value by their ID, so that rows never change places by chance. */
export function sortedPeers(peers: readonly PeerView[], { by, descending }: PeerSort): PeerView[] {
  const sign = descending ? -1 : 1;
  const keyed = peers.map((peer) => ({ peer, key: keyOf(peer, by) }));
  keyed.sort((a, b) => compare(a.key, b.key, sign) || (a.peer.id < b.peer.id ? -1 : 1));
  return keyed.map(({ peer }) => peer);
}

type Key = string | number | null;

function keyOf(peer: PeerView, by: PeerColumn): Key {
  switch (by) {
    case "name":
      return peer.name.toLowerCase() || `\u{10ffff}${peer.id}`;
    case "state":
      return ORDER.indexOf(conditionOf(peer));
    case "score":
      return peer.score;
    case "ping":
      return peer.ping_ms;
    case "load":
      return peer.slots === 0 ? null : peer.tasks / peer.slots;
    case "outcomes":
      return peer.successes + peer.failures;
    case "seen":
      return peer.last_seen;
    default:
      return by satisfies never;
  }
}

/** What needs attention first. */
const ORDER = [
  "suspect",
  "resting",
  "draining",
  "cordoned",
  "active",
  "discovered",
  "stale",
  "evicted",
  "revoked",
];

/** What is unknown comes last in both directions. */
function compare(a: Key, b: Key, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -sign : sign;
}

/** How many peers are in each condition, the conditions in the order of the table. */
export function peersByCondition(peers: Iterable<PeerView>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(ORDER.map((condition) => [condition, 0]));
  for (const peer of peers) {
    const condition = conditionOf(peer);
    counts.set(condition, (counts.get(condition) ?? 0) + 1);
  }
  return new Map([...counts].filter(([, found]) => found > 0));
}
