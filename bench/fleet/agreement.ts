import type { MeshClient, PeerView } from "../../src/client/index.ts";
import type { HostedPeer } from "./host-messages.ts";

/** What a mesh reports about its peers and tasks at one time. */
export interface Registry {
  readonly peers: readonly PeerView[];
  readonly pointers: number;
  /** Peers that hold a task. */
  readonly holders: ReadonlySet<string>;
  /** The newest epoch of each peer, according to the audit log. */
  readonly epochs: ReadonlyMap<string, number>;
}

export async function readRegistry(mesh: MeshClient): Promise<Registry> {
  const peers: PeerView[] = [];
  for await (const peer of mesh.peers.list()) peers.push(peer);
  let pointers = 0;
  for await (const _pointer of mesh.discovery.pointers()) pointers++;
  const holders = new Set<string>();
  for (const state of ["leased", "running"] as const)
    for await (const { peer_id } of mesh.tasks.list({ state }))
      if (peer_id !== null) holders.add(peer_id);
  const epochs = new Map<string, number>();
  for await (const { subject, outcome, detail } of mesh.audit.list({ act: "admit" }))
    if (outcome === "ok" && !epochs.has(subject)) epochs.set(subject, Number(detail["epoch"]));
  return { peers, pointers, holders, epochs };
}

/**
 * How the registry differs from the peers, as texts; empty when they agree. A living peer must be active, once, with its
 * newest session; a dead peer must not be connected; only living peers may hold tasks and be published.
 */
export function differences(registry: Registry, living: readonly HostedPeer[]): readonly string[] {
  const found: string[] = [];
  const known = new Map(registry.peers.map((peer) => [peer.id, peer]));
  if (known.size !== registry.peers.length) found.push("a peer is listed twice");
  for (const { id, state, epoch } of living) {
    const peer = known.get(id);
    if (state !== "active") found.push(`${id} is alive and ${state}`);
    else if (peer === undefined) found.push(`${id} is alive and not in the registry`);
    else if (!peer.connected || peer.state !== "active")
      found.push(`${id} is connected, but ${peer.state} in the registry`);
    else if (registry.epochs.get(id) !== epoch)
      found.push(`${id} is in epoch ${epoch}, the newest is ${registry.epochs.get(id)}`);
  }
  const alive = new Set(living.map(({ id }) => id));
  for (const { id, connected, state, tasks } of registry.peers) {
    if (alive.has(id)) continue;
    if (connected) found.push(`${id} is dead, but connected and ${state} in the registry`);
    if (tasks > 0) found.push(`${id} is dead, but has ${tasks} tasks in the registry`);
  }
  for (const id of registry.holders)
    if (!alive.has(id)) found.push(`${id} is dead, but holds a task`);
  if (registry.pointers !== alive.size)
    found.push(`${registry.pointers} pointers for ${alive.size} peers`);
  return found;
}
