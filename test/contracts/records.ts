import { exactJson, NULL_JSON } from "../../src/base/json-text/json-text.ts";
import type { Dial } from "../../src/peers/dial.ts";
import type { PeerAdvert } from "../../src/peers/advertised-peer.ts";
import type { Peer } from "../../src/peers/peer.ts";
import type { DenyEntry } from "../../src/registry/denylist.ts";
import type { PublishedPointer } from "../../src/registry/pointers.ts";
import type { Attempt, Task } from "../../src/tasks/task.ts";

const T = 1_767_225_600_000;

/** A peer with a value in every column. */
export const aPeer = (more: Partial<Peer> = {}): Peer => ({
  id: "9f86d081884c7d659a2feaa0c55ad015",
  name: "atlas",
  publicKey: "ab".repeat(32),
  address: "203.0.113.7",
  role: "worker",
  addedAt: T,
  lastSeen: T + 1,
  state: "active",
  epoch: 3,
  session: "session-1",
  protocol: "go-p2p/1.0",
  goP2pGeneration: 2,
  tookOver: true,
  spokeMuster2: true,
  speaksMuster: true,
  mayAssign: true,
  capabilities: ["gpu", "arch=arm64"],
  kinds: ["*"],
  slots: 4,
  earnedSlots: 4,
  prefetch: true,
  held: 0,
  rtt: { smoothedMs: 12.5, varianceMs: 3.25, minMs: 9, samples: 4 },
  tcpRttMs: 11,
  network: "AS64496",
  colo: "ZRH",
  since: 1_760_000_500_000,
  scheduling: { operator: "open", drainUntil: null, leaving: false },
  flaps: { penalty: 1.25, at: 1_760_000_400_000 },
  seq: 6,
  silentAt: null,
  lostAt: null,
  hops: 1,
  geoKm: 5_570.25,
  region: "weur",
  successes: 7,
  failures: 1,
  score: 0.8125,
  ...more,
});

/** What one peer advertised about another. */
export const anAdvertisedPeer = (more: Partial<PeerAdvert> = {}): PeerAdvert => ({
  advertiser: "teller",
  peerId: "7b0c7a52fa5e4b0e9a4b6f2f4d1c9b11",
  publicKey: "cd".repeat(32),
  address: "wss://198.51.100.7:9091",
  role: "worker",
  rttMs: 12.5,
  hops: 3,
  advertisedAt: T,
  heardAt: T + 5,
  ...more,
});

/** A queued task. */
export const aTask = (more: Partial<Task> = {}): Task => ({
  id: "5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00",
  kind: "echo",
  payloadDropped: false,
  payload: exactJson('{"text":"\\u0000é😀", "deep":[ {"null":null} ], "n":-0.10e+400, "n":1}'),
  state: "queued",
  source: "api",
  owner: "admin",
  trace: {
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=value",
  },
  requirements: { capabilities: ["gpu"], peer_id: "p", min_score: 0.5 },
  priority: 0,
  concurrency: null,
  queuePosition: T,
  createdAt: T,
  deadlineAt: T + 3_600_000,
  notBefore: T,
  endedAt: null,
  maxAttempts: 3,
  retriedAt: T + 3,
  retries: 2,
  leaseMs: 60_000,
  backoffMs: 500,
  backoffMaxMs: 60_000,
  attemptTimeoutMs: 3_600_000,
  fence: 0,
  lastFence: 0,
  attemptsUsed: 0,
  interruptions: 0,
  maxInterruptions: 20,
  attemptUntil: null,
  leaseUntil: null,
  prefetched: false,
  peerId: null,
  progress: null,
  message: null,
  result: NULL_JSON,
  error: null,
  ...more,
});

/** An attempt that was just offered. */
export const anAttempt = (more: Partial<Attempt> = {}): Attempt => ({
  taskId: "t",
  fence: 1,
  peerId: "p",
  peerName: "atlas",
  score: 0.625,
  state: "offered",
  startedAt: T,
  begunAt: null,
  endedAt: null,
  error: null,
  retries: 0,
  refusals: 0,
  ...more,
});

/** A pointer that is listed, with a value in every column. */
export const aPointer = (more: Partial<PublishedPointer> = {}): PublishedPointer => ({
  id: "c",
  epoch: 1,
  peerId: "p",
  state: "listed",
  seq: 7,
  blobId: "x",
  fingerprint: "f",
  details: { capabilities: ["gpu"], role: "worker" },
  metadata: { role: "worker" },
  expiresAt: T + 10,
  signature: "5e",
  ...more,
});

export const aDial = (changes: Partial<Dial> = {}): Dial => ({
  id: "a",
  url: "wss://a.example/ws",
  name: "node",
  publicKey: null,
  peerId: null,
  addedAt: T,
  addedBy: "admin",
  state: "waiting",
  since: T,
  dueAt: T,
  attempts: 1,
  failures: 2,
  lastError: "no answer",
  ...changes,
});

/** A key that was revoked by its ID. */
export const aDenyEntry: DenyEntry = {
  peerId: "p",
  publicKey: null,
  deniedAt: T,
  reason: "revoked",
  deniedBy: "admin",
  rotatedTo: null,
};
