import type { Millis, RandomBytes } from "../../../src/base/clock.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { NO_FLAPS } from "../../../src/peers/damping.ts";
import type { Peer } from "../../../src/peers/peer.ts";
import { OPEN } from "../../../src/peers/scheduling.ts";
import type { PeerId } from "../../../src/protocol/ids.ts";
import type { Registry } from "../../../src/registry/registry.ts";

const BATCH = 50_000;

/** Peers with random IDs. */
export class PeerPlan {
  readonly #count: number;
  readonly #randomBytes: RandomBytes;

  constructor(count: number, randomBytes: RandomBytes) {
    this.#count = count;
    this.#randomBytes = randomBytes;
  }

  *batches(): Generator<readonly PeerId[], void, undefined> {
    for (let done = 0; done < this.#count; done += BATCH)
      yield Array.from({ length: Math.min(BATCH, this.#count - done) }, () =>
        toHex(this.#randomBytes(16)),
      );
  }
}

/** Stores connected peers with a measured round trip in one transaction: admissions would take longer than all that is measured. */
export function fillCell(
  { registry }: { readonly registry: Registry },
  ids: readonly PeerId[],
  now: Millis,
): void {
  registry.transaction(() => {
    for (const [at, id] of ids.entries()) registry.peers.put(peerOf(id, at, now));
    registry.events.write(now);
  });
}

const REGIONS = ["region:eu", "region:us", "region:asia"];

function peerOf(id: PeerId, at: number, now: Millis): Peer {
  const smoothedMs = 10 + (at % 97);
  return {
    id,
    name: `peer-${id.slice(0, 8)}`,
    publicKey: id + id,
    address: "198.51.100.7",
    network: "",
    colo: "",
    role: "worker",
    addedAt: now,
    lastSeen: now,
    state: "active",
    since: now,
    flaps: NO_FLAPS,
    scheduling: OPEN,
    silentAt: null,
    lostAt: null,
    epoch: 1,
    seq: 0,
    session: id + id,
    tookOver: false,
    protocol: "muster/2",
    goP2pGeneration: null,
    spokeMuster2: true,
    speaksMuster: true,
    mayAssign: false,
    capabilities: [REGIONS[at % 3] as string, `cpus=${1 + (at % 4)}`],
    kinds: ["work"],
    slots: 1 + (at % 4),
    earnedSlots: 1 + (at % 4),
    prefetch: true,
    held: 0,
    rtt: { smoothedMs, varianceMs: 2, minMs: smoothedMs, samples: 8 },
    tcpRttMs: smoothedMs,
    hops: null,
    geoKm: null,
    region: null,
    successes: at % 50,
    failures: 0,
    score: 0.3 + (at % 600) / 1_000,
  };
}
