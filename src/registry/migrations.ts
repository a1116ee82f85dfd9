import { CELL_MIGRATIONS } from "./cell-migrations.ts";
import { FIRST_MIGRATIONS } from "./first-migrations.ts";

/**
 * Append-only: a migration that has run anywhere is never edited. Each is a list of single statements. Times are Unix
 * milliseconds; booleans are 0 or 1; JSON is text. durable/STORAGE.md describes every column.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  ...FIRST_MIGRATIONS,
  [
    `CREATE TABLE observed (
      peer_id TEXT PRIMARY KEY, successes REAL NOT NULL, failures REAL NOT NULL, timeouts REAL NOT NULL,
      refusals REAL NOT NULL, outcomes_at INTEGER NOT NULL, uptime_share REAL, uptime_known_ms REAL, uptime_at INTEGER,
      connected_at INTEGER, latitude REAL, longitude REAL
    ) WITHOUT ROWID`,
    `INSERT INTO observed (peer_id, successes, failures, timeouts, refusals, outcomes_at)
       SELECT id, successes, failures, 0, 0, COALESCE(last_seen, added_at) FROM peers`,
    `CREATE TABLE kinds (
      kind TEXT PRIMARY KEY, mean_ms REAL NOT NULL, weight REAL NOT NULL, incumbent TEXT, used_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE service_times (
      peer_id TEXT NOT NULL, kind TEXT NOT NULL, mean_ms REAL NOT NULL, weight REAL NOT NULL, PRIMARY KEY (peer_id, kind)
    ) WITHOUT ROWID`,
    `CREATE TABLE choices (
      seq INTEGER PRIMARY KEY, task_id TEXT NOT NULL, fence INTEGER NOT NULL, at INTEGER NOT NULL, peer_id TEXT NOT NULL,
      choice TEXT NOT NULL, UNIQUE (task_id, fence)
    )`,
    `ALTER TABLE attempts ADD COLUMN begun_at INTEGER`,
  ],
  [
    `ALTER TABLE outbox ADD COLUMN peer_id TEXT`,
    `UPDATE outbox SET peer_id = subject WHERE kind = 'publish'`,
    `UPDATE outbox SET peer_id = json_extract(subject, '$[0]') WHERE kind IN ('end_session', 'probe')`,
    `CREATE INDEX outbox_peers ON outbox (peer_id, kind)`,
  ],
  [
    // Reconnect positions are drawn at random and not stored any more.
    `DROP INDEX peers_slots`,
    `ALTER TABLE peers DROP COLUMN slot`,
    `DROP TABLE free_slots`,
  ],
  [
    // Tables and columns take the names that the code uses.
    `ALTER TABLE hearsay RENAME TO advertised_peers`,
    `ALTER TABLE advertised_peers RENAME COLUMN teller_id TO advertiser_id`,
    `ALTER TABLE advertised_peers RENAME COLUMN told_at TO advertised_at`,
    `ALTER TABLE silences RENAME TO correlated_failures`,
    `ALTER TABLE correlated_failures RENAME COLUMN mass_until TO correlated_until`,
    `ALTER TABLE kinds RENAME TO task_kinds`,
  ],
  [`ALTER TABLE webhook_sources ADD COLUMN revision INTEGER NOT NULL DEFAULT 0`],
  [
    // The queue is kept in memory: after a wake it is read by `tasks_deadlines` and `tasks_leases`.
    `DROP INDEX tasks_waiting`,
    `DROP INDEX tasks_prefetched`,
    // Only tasks that pause or are scheduled are in it. Most tasks never are: each index entry is billed as a row.
    `DROP INDEX tasks_pauses`,
    `CREATE INDEX tasks_pauses ON tasks (not_before) WHERE state = 'queued' AND not_before > created_at`,
  ],
  [
    // A peer that does not announce its kinds handles every kind; a go-p2p node handles go-p2p's requests.
    `ALTER TABLE peers ADD COLUMN kinds TEXT NOT NULL DEFAULT '["*"]'`,
    `UPDATE peers SET kinds = '["go-p2p/get_stats","go-p2p/get_logs","go-p2p/start_miner","go-p2p/stop_miner","go-p2p/deploy"]'
       WHERE speaks_muster = 0`,
  ],
  [`ALTER TABLE tasks ADD COLUMN retries INTEGER NOT NULL DEFAULT 0`],
  [
    // Acts on tasks that ended without success, and the grouping of failures, read nothing but this index: a row of `tasks` has its
    // payload before its error.
    `CREATE INDEX tasks_unsuccessful
       ON tasks (ended_at, seq, state, kind, source, owner, peer_id, created_at, id, error)
       WHERE state IN ('failed', 'expired', 'cancelled')`,
  ],
  [
    // Interruptions have a budget of their own, attempts a timeout, and an older attempt can be resumed.
    `ALTER TABLE tasks ADD COLUMN attempt_timeout_ms INTEGER NOT NULL DEFAULT 3600000`,
    `ALTER TABLE tasks ADD COLUMN attempt_until INTEGER`,
    `ALTER TABLE tasks ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE tasks ADD COLUMN max_interruptions INTEGER NOT NULL DEFAULT 20`,
    `ALTER TABLE tasks ADD COLUMN last_fence INTEGER NOT NULL DEFAULT 0`,
    `UPDATE tasks SET last_fence = fence`,
    // A lost attempt counted as one until now.
    `UPDATE attempts SET state = 'timed_out' WHERE state = 'lost' AND task_id IN (SELECT id FROM tasks WHERE ended_at IS NULL)`,
    `ALTER TABLE attempts ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE attempts ADD COLUMN retries INTEGER NOT NULL DEFAULT 0`,
  ],
  [
    `ALTER TABLE peers ADD COLUMN scheduling TEXT NOT NULL DEFAULT 'open'`,
    `ALTER TABLE peers ADD COLUMN drain_until INTEGER`,
    `ALTER TABLE peers ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0`,
    `CREATE INDEX peers_drains ON peers (drain_until) WHERE drain_until IS NOT NULL`,
  ],
  [
    `ALTER TABLE observed ADD COLUMN place_source TEXT`,
    `ALTER TABLE observed ADD COLUMN place_at INTEGER`,
    `ALTER TABLE observed ADD COLUMN route_hops INTEGER`,
    `ALTER TABLE observed ADD COLUMN route_tool TEXT`,
    `ALTER TABLE observed ADD COLUMN route_at INTEGER`,
  ],
  [`ALTER TABLE peers ADD COLUMN took_over INTEGER NOT NULL DEFAULT 0`],
  [
    // Times that were learned before count as old: they fade at once.
    `ALTER TABLE service_times ADD COLUMN at INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE service_times ADD COLUMN recent_ms REAL NOT NULL DEFAULT 0`,
    `ALTER TABLE service_times ADD COLUMN drift REAL NOT NULL DEFAULT 0`,
    `UPDATE service_times SET recent_ms = mean_ms`,
  ],
  [
    `CREATE TABLE circuits (
      peer_id TEXT NOT NULL, kind TEXT NOT NULL, evidence REAL NOT NULL, failures INTEGER NOT NULL, refusals INTEGER NOT NULL,
      openings REAL NOT NULL, rests_until INTEGER, closed_at INTEGER NOT NULL, reason TEXT, changed_at INTEGER NOT NULL, PRIMARY KEY (peer_id, kind)
    ) WITHOUT ROWID`,
    `CREATE INDEX circuits_resting ON circuits (rests_until) WHERE rests_until IS NOT NULL`,
    `ALTER TABLE task_kinds ADD COLUMN failure_rate REAL`,
    `ALTER TABLE task_kinds ADD COLUMN failure_weight REAL`,
    `ALTER TABLE observed ADD COLUMN alone_ratio REAL`,
    `ALTER TABLE observed ADD COLUMN alone_weight REAL`,
    `ALTER TABLE observed ADD COLUMN loaded_ratio REAL`,
    `ALTER TABLE observed ADD COLUMN loaded_held REAL`,
    `ALTER TABLE observed ADD COLUMN loaded_weight REAL`,
    `ALTER TABLE observed ADD COLUMN peak_held REAL`,
    `ALTER TABLE peers ADD COLUMN earned_slots INTEGER NOT NULL DEFAULT 4`,
  ],
  [
    // Owners share: weights and limits of owners, concurrency keys, and settings of kinds.
    `ALTER TABLE api_tokens ADD COLUMN weight INTEGER NOT NULL DEFAULT 1`,
    `ALTER TABLE api_tokens ADD COLUMN max_waiting INTEGER`,
    `ALTER TABLE api_tokens ADD COLUMN max_running INTEGER`,
    `ALTER TABLE api_tokens ADD COLUMN max_priority INTEGER`,
    `ALTER TABLE allowlist ADD COLUMN weight INTEGER NOT NULL DEFAULT 1`,
    `ALTER TABLE allowlist ADD COLUMN max_waiting INTEGER`,
    `ALTER TABLE allowlist ADD COLUMN max_running INTEGER`,
    `ALTER TABLE allowlist ADD COLUMN max_priority INTEGER`,
    `CREATE INDEX allowlist_peers ON allowlist (peer_id)`,
    `ALTER TABLE tasks ADD COLUMN concurrency_key TEXT`,
    `ALTER TABLE tasks ADD COLUMN concurrency_limit INTEGER`,
    `CREATE TABLE kind_settings (
      kind TEXT PRIMARY KEY, attempt_timeout_ms INTEGER, concurrency INTEGER, rate_per_second REAL, rate_burst INTEGER
    ) WITHOUT ROWID`,
  ],
  [
    // Who barred a key, and which key replaced a rotated one: an old ID leads to its peer for longer than its alias.
    `ALTER TABLE denylist ADD COLUMN denied_by TEXT`,
    `ALTER TABLE denylist ADD COLUMN rotated_to TEXT`,
    `UPDATE denylist SET rotated_to = (SELECT new_id FROM aliases WHERE old_id = peer_id) WHERE rotated = 1`,
    `CREATE INDEX denylist_times ON denylist (denied_at DESC, peer_id)`,
  ],
  [
    `CREATE TABLE callback_rotations (
      owner TEXT NOT NULL, origin TEXT NOT NULL, version INTEGER NOT NULL, rotated_at INTEGER NOT NULL, previous_until INTEGER,
      PRIMARY KEY (owner, origin)
    ) WITHOUT ROWID`,
  ],
  [
    // Repeated acts share an audit entry, and the entries of peers have limits apart from the operator's. What was refused to a
    // peer until now counts as a stranger's.
    `ALTER TABLE audit ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE audit ADD COLUMN count INTEGER NOT NULL DEFAULT 1`,
    `ALTER TABLE audit ADD COLUMN budget TEXT NOT NULL DEFAULT 'operator'`,
    `UPDATE audit SET last_at = at, budget = CASE WHEN actor NOT LIKE 'peer:%' AND actor NOT LIKE 'dial:%' THEN 'operator'
       WHEN outcome = 'ok' THEN 'listed' ELSE 'stranger' END`,
    `CREATE INDEX audit_actors ON audit (actor, seq)`,
    `CREATE INDEX audit_budgets ON audit (budget, seq) WHERE budget <> 'operator'`,
    // How often a peer has rotated, and which rotations were a stranger's.
    `CREATE INDEX aliases_new ON aliases (new_id)`,
    `ALTER TABLE denylist ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0`,
    // Failures of listed peers and of strangers count apart, and a group's failures count as correlated for a limited time.
    `ALTER TABLE correlated_failures RENAME TO failures_before`,
    `CREATE TABLE correlated_failures (
      kind TEXT NOT NULL, name TEXT NOT NULL, listed INTEGER NOT NULL, window_at INTEGER NOT NULL, events INTEGER NOT NULL,
      members INTEGER NOT NULL, correlated_until INTEGER NOT NULL, period_at INTEGER NOT NULL, correlated_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, name, listed)
    ) WITHOUT ROWID`,
    `INSERT INTO correlated_failures SELECT kind, name, 0, window_at, events, members, correlated_until, 0, 0 FROM failures_before`,
    `DROP TABLE failures_before`,
    // Each peer has its own share of the KV writes, and strangers together have a limit.
    `CREATE TABLE kv_shares (peer_id TEXT PRIMARY KEY, tokens REAL NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID`,
    `ALTER TABLE kv_writes ADD COLUMN stranger_records INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE kv_writes ADD COLUMN strangers INTEGER NOT NULL DEFAULT 0`,
  ],
  [
    // The bytes that an upload has stored. A result is committed only with the bytes that its session has named.
    `ALTER TABLE result_uploads ADD COLUMN bytes INTEGER`,
    `ALTER TABLE result_uploads ADD COLUMN sha256 TEXT`,
  ],
  [
    `ALTER TABLE api_tokens ADD COLUMN expires_at INTEGER`,
    `ALTER TABLE api_tokens ADD COLUMN expired INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE api_tokens ADD COLUMN last_used_at INTEGER`,
    `CREATE INDEX api_tokens_expiry ON api_tokens (expires_at) WHERE expired = 0 AND expires_at IS NOT NULL`,
  ],
  [
    `CREATE TABLE ended_owners (
      owner TEXT PRIMARY KEY, ended_at INTEGER NOT NULL, tasks INTEGER NOT NULL, callbacks INTEGER NOT NULL,
      place_due_at INTEGER NOT NULL, place_task_id TEXT NOT NULL, done_at INTEGER
    ) WITHOUT ROWID`,
    `CREATE TABLE submitters (owner TEXT PRIMARY KEY, recorded_at INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [`ALTER TABLE webhook_sources ADD COLUMN id TEXT NOT NULL DEFAULT ''`],
  [
    // Bytes have owners. A task that had ended before counts as 2 KiB of an owner without a name: its row is not written again.
    `ALTER TABLE tasks ADD COLUMN quota_owner TEXT NOT NULL DEFAULT ''`,
    `ALTER TABLE tasks ADD COLUMN bytes INTEGER NOT NULL DEFAULT 2048`,
    `ALTER TABLE tasks ADD COLUMN payload_dropped INTEGER NOT NULL DEFAULT 0`,
    `UPDATE tasks SET quota_owner = CASE WHEN source LIKE 'webhook:%' THEN source ELSE owner END,
       bytes = 1024 + octet_length(payload) + octet_length(requirements)
     WHERE ended_at IS NULL`,
    `DROP INDEX tasks_ended`,
    `CREATE INDEX tasks_ended ON tasks (quota_owner, ended_at, bytes) WHERE ended_at IS NOT NULL`,
    // All that counting the bytes of tasks that have not ended reads: a row has its payload before its owner.
    `DROP INDEX tasks_deadlines`,
    `CREATE INDEX tasks_deadlines ON tasks (deadline_at, seq, id, quota_owner, bytes) WHERE ended_at IS NULL`,
    `CREATE INDEX tasks_payloads ON tasks (ended_at) WHERE ended_at IS NOT NULL AND payload <> 'null'`,
    `CREATE INDEX idempotency_tasks ON idempotency (task_id)`,
    `CREATE INDEX tombstones_ages ON tombstones (removed_at)`,
    `ALTER TABLE api_tokens ADD COLUMN max_bytes INTEGER`,
    `ALTER TABLE allowlist ADD COLUMN max_bytes INTEGER`,
    `ALTER TABLE webhook_sources ADD COLUMN max_bytes INTEGER`,
  ],
  [
    // Which generation of go-p2p a peer speaks. Before this version every go-p2p session was one of generation 1.
    `ALTER TABLE peers ADD COLUMN go_p2p_generation INTEGER`,
    `UPDATE peers SET go_p2p_generation = 1 WHERE protocol = 'go-p2p/1.0'`,
  ],
  [
    `CREATE TABLE webhook_refusals (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL,
      recorded INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, count INTEGER NOT NULL, method TEXT NOT NULL,
      headers TEXT NOT NULL, address TEXT NOT NULL, bytes INTEGER
    )`,
    `CREATE INDEX webhook_refusals_sources ON webhook_refusals (source, seq)`,
    `CREATE INDEX webhook_refusals_ages ON webhook_refusals (last_at)`,
  ],
  [
    // Large results that the mesh has stored for peers that can't upload, by the owner of the task.
    `ALTER TABLE task_results ADD COLUMN kept_for TEXT`,
    `ALTER TABLE task_results ADD COLUMN kept_at INTEGER`,
    `CREATE INDEX task_results_kept ON task_results (kept_for, kept_at, bytes) WHERE kept_for IS NOT NULL`,
  ],
  [
    // Callbacks are queued by owner and receiver.
    `ALTER TABLE callbacks ADD COLUMN owner TEXT NOT NULL DEFAULT ''`,
    `UPDATE callbacks SET owner = COALESCE(
       (SELECT CASE WHEN source LIKE 'webhook:%' THEN source ELSE owner END FROM tasks WHERE id = task_id), '')`,
    `CREATE INDEX callbacks_queues ON callbacks (owner, origin, due_at) WHERE due_at IS NOT NULL`,
    `CREATE TABLE callback_queues (
      owner TEXT NOT NULL, origin TEXT NOT NULL, site TEXT NOT NULL, health TEXT NOT NULL, due_at INTEGER NOT NULL,
      not_before INTEGER NOT NULL, ready_at INTEGER NOT NULL, PRIMARY KEY (owner, origin)
    ) WITHOUT ROWID`,
    `CREATE INDEX callback_queues_ready ON callback_queues (ready_at)`,
    `CREATE INDEX callback_queues_health ON callback_queues (health, owner, ready_at)`,
    `CREATE INDEX callback_queues_origins ON callback_queues (origin)`,
    // Their sites are not known here: until they have been empty once, each receiver counts as a site of its own.
    `INSERT INTO callback_queues (owner, origin, site, health, due_at, not_before, ready_at)
       SELECT owner, origin, origin, 'unknown', MIN(due_at), 0, MIN(due_at) FROM callbacks WHERE due_at IS NOT NULL
        GROUP BY owner, origin`,
    `CREATE TABLE callback_receivers (
      origin TEXT PRIMARY KEY, health TEXT NOT NULL, failures INTEGER NOT NULL, resume_at INTEGER, at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX callback_receivers_ages ON callback_receivers (at)`,
  ],
  [
    `ALTER TABLE webhook_sources ADD COLUMN max_body_bytes INTEGER`,
    `ALTER TABLE webhook_sources ADD COLUMN identity TEXT NOT NULL DEFAULT 'null'`,
  ],
  [
    `CREATE TABLE event_log (
      slot INTEGER PRIMARY KEY, before INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL,
      bytes INTEGER NOT NULL, events TEXT NOT NULL
    )`,
  ],
  [`ALTER TABLE tasks ADD COLUMN traceparent TEXT`, `ALTER TABLE tasks ADD COLUMN tracestate TEXT`],
  [`CREATE TABLE metric_counters (one INTEGER PRIMARY KEY CHECK (one = 1), saved TEXT NOT NULL)`],
  [
    `ALTER TABLE tasks ADD COLUMN retried_at INTEGER`,
    `ALTER TABLE task_results ADD COLUMN upload_begun_at INTEGER`,
    `CREATE TABLE span_queue (
      seq INTEGER PRIMARY KEY, task_id TEXT NOT NULL, retries INTEGER NOT NULL, part TEXT NOT NULL, at INTEGER NOT NULL
    )`,
  ],
  [
    // What alerts are about: since when peers are lost and circuits are open, and the alerts that fire.
    `ALTER TABLE peers ADD COLUMN lost_at INTEGER`,
    `UPDATE peers SET lost_at = silent_at WHERE state IN ('suspect', 'stale') AND silent_at IS NOT NULL`,
    `CREATE INDEX peers_lost ON peers (lost_at) WHERE lost_at IS NOT NULL`,
    `ALTER TABLE circuits ADD COLUMN opened_at INTEGER`,
    `UPDATE circuits SET opened_at = changed_at WHERE rests_until IS NOT NULL`,
    `CREATE TABLE alerts (
      key TEXT PRIMARY KEY, alert TEXT NOT NULL, peer_id TEXT, kind TEXT, since INTEGER NOT NULL, fired_at INTEGER NOT NULL,
      clear_since INTEGER, value REAL NOT NULL, threshold REAL NOT NULL, message TEXT NOT NULL
    ) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE alert_deliveries (
      seq INTEGER PRIMARY KEY, url TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, due_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL, UNIQUE (url, key)
    )`,
  ],
  ...CELL_MIGRATIONS,
];
