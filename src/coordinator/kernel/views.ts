import { toRfc3339, type Millis } from "../../base/clock.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { PeerAdvert } from "../../peers/advertised-peer.ts";
import type { Peer } from "../../peers/peer.ts";
import type {
  AllowEntry,
  AttemptView,
  CallbackView,
  PeerView,
  TaskSummary,
  TaskView,
  WebhookSourceView,
} from "../../protocol/http.ts";
import type { Allowed } from "../../registry/allowlist.ts";
import type { WebhookSource } from "../../registry/webhook-sources.ts";
import type { ResultExtra } from "../../registry/task-results.ts";
import { score, type Score } from "../../scoring/score.ts";
import type { Attempt, Task } from "../../tasks/task.ts";
import type { Callback } from "../../webhooks/index.ts";

const timeOrNull = (at: Millis | null): string | null => (at === null ? null : toRfc3339(at));

export const peerView = (peer: Peer, worth: Score): PeerView => ({
  id: peer.id,
  name: peer.name,
  public_key: peer.publicKey,
  address: peer.address,
  role: peer.role,
  added_at: toRfc3339(peer.addedAt),
  last_seen: timeOrNull(peer.lastSeen),
  ping_ms: peer.rtt?.smoothedMs ?? null,
  hops: peer.hops,
  geo_km: peer.geoKm,
  ...worth,
  connected: isConnected(peer.state),
  state: peer.state,
  protocol: peer.protocol,
  capabilities: [...peer.capabilities],
  slots: peer.slots,
  tasks: peer.held,
  successes: peer.successes,
  failures: peer.failures,
});

/** A peer that is known by hearsay alone, in the form of all others. */
export const hearsayView = (told: PeerAdvert): PeerView => ({
  id: told.peerId,
  name: "",
  public_key: told.publicKey,
  address: told.address,
  role: told.role,
  added_at: toRfc3339(told.toldAt),
  last_seen: null,
  ping_ms: null,
  hops: told.hops,
  geo_km: null,
  ...score({ rttMs: null, hops: told.hops, geoKm: null, successes: 0, failures: 0, uptime: null }),
  connected: false,
  state: "discovered",
  protocol: null,
  capabilities: [],
  slots: 0,
  tasks: 0,
  successes: 0,
  failures: 0,
  told_by: { peer_id: told.advertiser, ping_ms: told.rttMs },
});

export const taskSummary = (task: Omit<Task, "payload" | "result">): TaskSummary => ({
  id: task.id,
  kind: task.kind,
  state: task.state,
  source: task.source,
  requirements: task.requirements,
  priority: task.priority,
  created_at: toRfc3339(task.createdAt),
  not_before: toRfc3339(task.notBefore),
  deadline_at: toRfc3339(task.deadlineAt),
  ended_at: timeOrNull(task.endedAt),
  max_attempts: task.maxAttempts,
  backoff: { first_seconds: task.backoffMs / 1_000, max_seconds: task.backoffMaxMs / 1_000 },
  lease_seconds: task.leaseMs / 1_000,
  peer_id: task.peerId,
  progress: task.progress,
  message: task.message,
  error: task.error,
});

export const taskView = (
  task: Task,
  attempts: readonly Attempt[],
  callback: Callback | null,
  extra: ResultExtra,
): TaskView => ({
  ...taskSummary(task),
  payload: task.payload,
  result: task.result,
  attempts: attempts.map(attemptView),
  callback: callback === null ? null : callbackView(callback),
  result_sealed: extra.sealed,
  result_bytes: extra.bytes,
  result_url: extra.blobId === null ? null : `/v1/tasks/${task.id}/result`,
});

const callbackView = ({ url, state, dueAt, attempts }: Callback): CallbackView => ({
  url,
  state,
  next_at: attempts.at(-1)?.endedAt === null ? null : timeOrNull(dueAt),
  attempts: attempts.map(({ at, endedAt, status, error }) => ({
    at: toRfc3339(at),
    ended_at: timeOrNull(endedAt),
    status,
    error,
  })),
});

const attemptView = (attempt: Attempt): AttemptView => ({
  attempt: attempt.fence,
  peer_id: attempt.peerId,
  peer_name: attempt.peerName,
  score: attempt.score,
  state: attempt.state,
  started_at: toRfc3339(attempt.startedAt),
  ended_at: timeOrNull(attempt.endedAt),
  error: attempt.error,
});

export const allowView = (entry: Allowed): AllowEntry => ({
  public_key: entry.publicKey,
  peer_id: entry.peerId,
  label: entry.label,
  roles: [...entry.roles],
  go_p2p: entry.goP2p,
  added_at: toRfc3339(entry.addedAt),
});

export const sourceView = (source: WebhookSource): WebhookSourceView => ({
  name: source.name,
  scheme: source.scheme,
  signature: source.signature,
  secrets: source.sealedSecrets.length,
  task: source.mapping,
  filters: [...source.filters],
  created_at: toRfc3339(source.createdAt),
  deliveries: source.deliveries,
});
