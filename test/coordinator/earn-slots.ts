import type { PeerId } from "../../src/protocol/ids.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { nothingObserved } from "../../src/scoring/observed.ts";
import { present } from "../must.ts";

/** Records that a peer's service times have shown that it serves so many tasks at once. Returns the peer. */
export function earnSlots<P extends { readonly id: PeerId }>(
  { registry, now }: { readonly registry: Registry; readonly now: number },
  peer: P,
  earnedSlots: number,
): P {
  const { id } = peer;
  registry.peers.put({ ...present(registry.peers.get(id)), earnedSlots });
  const loaded = {
    loadedRatio: 1,
    loadedHeld: earnedSlots,
    loadedWeight: 16,
    peakHeld: earnedSlots,
  };
  const parallelism = { aloneRatio: 1, aloneWeight: 16, ...loaded };
  registry.observed.put(id, {
    ...(registry.observed.get(id) ?? nothingObserved(now)),
    parallelism,
  });
  return peer;
}
