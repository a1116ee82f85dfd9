/** What the map is made of: the peers with their places, the lines of tasks, and the regions. */
import type { MapView, PeerView, TaskSummary } from "../../../src/protocol/http.ts";
import { percentile } from "./throughput.ts";

type FoundPeer = MapView["peers"][number];

/** A connected peer, and where it is. */
export interface MapPeer extends Omit<FoundPeer, "id"> {
  readonly peer: PeerView;
  /** Its number among the connected peers. */
  readonly number: number;
}

/** The peers of the map that the page still knows as connected. */
export const mapPeers = (map: MapView, peers: ReadonlyMap<string, PeerView>): readonly MapPeer[] =>
  map.peers.flatMap(({ id, ...found }, number) => {
    const peer = peers.get(id);
    return peer?.connected === true ? [{ ...found, peer, number }] : [];
  });

/** Tasks from one place to a peer. */
export interface TaskLine {
  /** The peer whose tasks they are; null for the mesh, which has the others from callers. */
  readonly from: string | null;
  readonly to: string;
  readonly tasks: number;
}

/** Lines for tasks that run, or ended within this time. */
export const LINE_MS = 60_000;

/** The lines of the recent tasks, from their owner if that is a peer that the map shows. */
export function taskLines(
  tasks: readonly TaskSummary[],
  shown: ReadonlySet<string>,
  now: number,
): readonly TaskLine[] {
  const lines = new Map<string, TaskLine>();
  for (const { peer_id: to, owner, ended_at: ended } of tasks) {
    if (to === null || (ended !== null && Date.parse(ended) < now - LINE_MS)) continue;
    const from = owner !== null && shown.has(owner) && owner !== to ? owner : null;
    const key = `${from ?? ""} ${to}`;
    lines.set(key, { from, to, tasks: (lines.get(key)?.tasks ?? 0) + 1 });
  }
  return [...lines.values()];
}

const REGION_NAMES = {
  wnam: "Western North America",
  enam: "Eastern North America",
  sam: "South America",
  weur: "Western Europe",
  eeur: "Eastern Europe",
  apac: "Asia-Pacific",
  oc: "Oceania",
  afr: "Africa",
  me: "Middle East",
} satisfies Record<NonNullable<FoundPeer["region"]>, string>;

export interface RegionRow {
  /** The region, or `unknown`. */
  readonly id: string;
  readonly name: string;
  /** The best score first. */
  readonly peers: readonly PeerView[];
  readonly score: number;
  /** The median round trip in milliseconds; null if none was measured. */
  readonly ping: number | null;
}

/** The peers by regions, the region with the most peers first. */
export function regionRows(peers: readonly MapPeer[]): readonly RegionRow[] {
  const found = new Map<string, PeerView[]>();
  for (const { peer, region = "unknown" } of peers) {
    const same = found.get(region);
    if (same === undefined) found.set(region, [peer]);
    else same.push(peer);
  }
  return [...found]
    .map(([id, members]) => ({
      id,
      name: id in REGION_NAMES ? REGION_NAMES[id as keyof typeof REGION_NAMES] : "Unknown",
      peers: members.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)),
      score: members.reduce((sum, { score }) => sum + score, 0) / members.length,
      ping: percentile(
        members.flatMap(({ ping_ms: ping }) => ping ?? []).toSorted((a, b) => a - b),
        0.5,
      ),
    }))
    .toSorted((a, b) => b.peers.length - a.peers.length || (a.name < b.name ? -1 : 1));
}
