import { number, type Sql } from "./sql.ts";

/**
 * Append-only: a migration that has run anywhere is never edited. Each is a list of single statements. Times are Unix
 * milliseconds; booleans are 0 or 1; JSON is text. durable/STORAGE.md describes every column.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE peers (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, public_key TEXT NOT NULL, address TEXT NOT NULL, role TEXT NOT NULL,
      added_at INTEGER NOT NULL, last_seen INTEGER, state TEXT NOT NULL, epoch INTEGER NOT NULL, session TEXT,
      protocol TEXT, speaks_muster INTEGER NOT NULL, may_assign INTEGER NOT NULL, capabilities TEXT NOT NULL,
      slots INTEGER NOT NULL, held INTEGER NOT NULL, rtt_ms REAL, hops INTEGER, geo_km REAL,
      successes INTEGER NOT NULL, failures INTEGER NOT NULL, score REAL NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX peers_connected ON peers (id) WHERE state IN ('active', 'suspect')`,
    `CREATE TABLE allowlist (
      public_key TEXT PRIMARY KEY, peer_id TEXT NOT NULL, label TEXT NOT NULL, roles TEXT NOT NULL,
      added_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE denylist (peer_id TEXT PRIMARY KEY, public_key TEXT NOT NULL, denied_at INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE tasks (
      seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL,
      source TEXT NOT NULL, requirements TEXT NOT NULL, priority INTEGER NOT NULL, created_at INTEGER NOT NULL,
      deadline_at INTEGER NOT NULL, not_before INTEGER NOT NULL, ended_at INTEGER, max_attempts INTEGER NOT NULL,
      lease_ms INTEGER NOT NULL, fence INTEGER NOT NULL, tries INTEGER NOT NULL, lease_until INTEGER, peer_id TEXT,
      progress REAL, result TEXT NOT NULL, error TEXT
    )`,
    `CREATE INDEX tasks_queue ON tasks (priority DESC, seq) WHERE state = 'queued'`,
    `CREATE INDEX tasks_leases ON tasks (lease_until) WHERE lease_until IS NOT NULL`,
    `CREATE INDEX tasks_holders ON tasks (peer_id) WHERE lease_until IS NOT NULL`,
    `CREATE INDEX tasks_deadlines ON tasks (deadline_at) WHERE ended_at IS NULL`,
    `CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL`,
    `CREATE TABLE attempts (
      task_id TEXT NOT NULL, fence INTEGER NOT NULL, peer_id TEXT NOT NULL, peer_name TEXT NOT NULL,
      score REAL NOT NULL, state TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, error TEXT,
      PRIMARY KEY (task_id, fence)
    ) WITHOUT ROWID`,
    `CREATE TABLE idempotency (
      scope TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, task_id TEXT NOT NULL,
      expires_at INTEGER NOT NULL, PRIMARY KEY (scope, key)
    ) WITHOUT ROWID`,
    `CREATE INDEX idempotency_expiry ON idempotency (expires_at)`,
    `CREATE TABLE webhook_sources (
      name TEXT PRIMARY KEY, scheme TEXT NOT NULL, sealed_secret TEXT NOT NULL, mapping TEXT NOT NULL,
      created_at INTEGER NOT NULL, deliveries INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE pointers (
      id TEXT PRIMARY KEY, peer_id TEXT NOT NULL UNIQUE, blob_id TEXT NOT NULL, metadata TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE outbox (
      seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, due_at INTEGER NOT NULL,
      failures INTEGER NOT NULL, UNIQUE (kind, subject)
    )`,
    `CREATE INDEX outbox_due ON outbox (due_at)`,
  ],
  [
    `CREATE TABLE api_tokens (
      id TEXT PRIMARY KEY, hash TEXT NOT NULL, label TEXT NOT NULL, scope TEXT NOT NULL, created_at INTEGER NOT NULL,
      revoked_at INTEGER
    ) WITHOUT ROWID`,
    `CREATE TABLE join_keys (
      id TEXT PRIMARY KEY, hash TEXT NOT NULL, label TEXT NOT NULL, roles TEXT NOT NULL, uses_left INTEGER NOT NULL,
      expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER
    ) WITHOUT ROWID`,
    `CREATE TABLE audit (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,
      subject TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
    )`,
    `CREATE INDEX audit_subjects ON audit (subject, seq)`,
    `CREATE TABLE aliases (old_id TEXT PRIMARY KEY, new_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE tombstones (peer_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, spoke_muster2 INTEGER NOT NULL, removed_at INTEGER NOT NULL) WITHOUT ROWID`,
    `ALTER TABLE tasks ADD COLUMN owner TEXT NOT NULL DEFAULT 'admin'`,
    `ALTER TABLE peers ADD COLUMN spoke_muster2 INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE denylist ADD COLUMN rotated INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE allowlist ADD COLUMN go_p2p INTEGER NOT NULL DEFAULT 0`,
  ],
  [`ALTER TABLE webhook_sources ADD COLUMN signature TEXT NOT NULL DEFAULT 'null'`],
  [
    `ALTER TABLE peers ADD COLUMN rtt_var_ms REAL`,
    `ALTER TABLE peers ADD COLUMN rtt_min_ms REAL`,
    `ALTER TABLE peers ADD COLUMN rtt_samples INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE peers ADD COLUMN tcp_rtt_ms REAL`,
    `ALTER TABLE peers ADD COLUMN network TEXT NOT NULL DEFAULT ''`,
    `ALTER TABLE peers ADD COLUMN colo TEXT NOT NULL DEFAULT ''`,
    `ALTER TABLE peers ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE peers ADD COLUMN flap_penalty REAL NOT NULL DEFAULT 0`,
    `ALTER TABLE peers ADD COLUMN flap_at INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE peers ADD COLUMN seq INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE peers ADD COLUMN slot INTEGER`,
    `ALTER TABLE peers ADD COLUMN silent_at INTEGER`,
    `UPDATE peers SET state_since = COALESCE(last_seen, added_at)`,
    `CREATE INDEX peers_away ON peers (state_since) WHERE state = 'stale'`,
    `CREATE UNIQUE INDEX peers_slots ON peers (slot) WHERE slot IS NOT NULL`,
    `CREATE TABLE free_slots (slot INTEGER PRIMARY KEY)`,
    `CREATE TABLE silences (
      kind TEXT NOT NULL, name TEXT NOT NULL, window_at INTEGER NOT NULL, events INTEGER NOT NULL,
      members INTEGER NOT NULL, mass_until INTEGER NOT NULL, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID`,
  ],
  [
    `ALTER TABLE tasks ADD COLUMN turn INTEGER NOT NULL DEFAULT 0`,
    `UPDATE tasks SET turn = created_at - priority * 60000`,
    `ALTER TABLE tasks ADD COLUMN backoff_ms INTEGER NOT NULL DEFAULT 500`,
    `ALTER TABLE tasks ADD COLUMN backoff_max_ms INTEGER NOT NULL DEFAULT 60000`,
    `ALTER TABLE tasks ADD COLUMN prefetched INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE tasks ADD COLUMN message TEXT`,
    `ALTER TABLE peers ADD COLUMN prefetch INTEGER NOT NULL DEFAULT 0`,
    `DROP INDEX tasks_queue`,
    `CREATE INDEX tasks_turns ON tasks (turn, seq) WHERE state = 'queued'`,
    `CREATE INDEX tasks_prefetched ON tasks (turn, seq) WHERE prefetched = 1`,
    `CREATE INDEX tasks_pauses ON tasks (not_before) WHERE state = 'queued'`,
  ],
  [
    `CREATE TABLE hearsay (
      teller_id TEXT NOT NULL, peer_id TEXT NOT NULL, public_key TEXT NOT NULL, address TEXT NOT NULL,
      role TEXT NOT NULL, rtt_ms REAL, hops INTEGER NOT NULL, told_at INTEGER NOT NULL, heard_at INTEGER NOT NULL,
      PRIMARY KEY (teller_id, peer_id)
    ) WITHOUT ROWID`,
    `CREATE INDEX hearsay_peers ON hearsay (peer_id, hops, told_at)`,
    `CREATE INDEX hearsay_ages ON hearsay (heard_at)`,
  ],
  [
    `CREATE TABLE callbacks (
      task_id TEXT PRIMARY KEY, url TEXT NOT NULL, origin TEXT NOT NULL, sealed_secret TEXT, state TEXT NOT NULL,
      due_at INTEGER, attempts TEXT NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX callbacks_due ON callbacks (due_at) WHERE due_at IS NOT NULL`,
  ],
  [
    `CREATE TABLE coordinates (
      peer_id TEXT PRIMARY KEY, vector TEXT NOT NULL, height REAL NOT NULL, adjustment REAL NOT NULL,
      error REAL NOT NULL, residuals TEXT NOT NULL, updated_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE pair_rtts (
      from_id TEXT NOT NULL, to_id TEXT NOT NULL, samples TEXT NOT NULL, observed_at INTEGER NOT NULL,
      PRIMARY KEY (from_id, to_id)
    ) WITHOUT ROWID`,
    `CREATE INDEX pair_rtts_to ON pair_rtts (to_id)`,
  ],
  [
    // Pointers from before epochs name blobs that live for a day at most, so what was published then expires by
    // itself.
    `DROP TABLE pointers`,
    `UPDATE outbox SET due_at = 0 WHERE kind = 'publish'`,
    `CREATE TABLE discovery_epochs (
      epoch INTEGER PRIMARY KEY, sealed TEXT NOT NULL, public_key TEXT NOT NULL, opened_at INTEGER NOT NULL,
      closed_at INTEGER, expelled INTEGER NOT NULL, expires_at INTEGER NOT NULL
    )`,
    `CREATE TABLE key_holders (holder TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE pointers (
      id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, peer_id TEXT NOT NULL, state TEXT NOT NULL, seq INTEGER NOT NULL,
      blob_id TEXT NOT NULL, fingerprint TEXT NOT NULL, details TEXT NOT NULL, metadata TEXT NOT NULL,
      expires_at INTEGER NOT NULL, signature TEXT, UNIQUE (peer_id, epoch)
    ) WITHOUT ROWID`,
    `CREATE INDEX pointers_changes ON pointers (seq)`,
    `CREATE TABLE unsettled_blobs (
      id TEXT PRIMARY KEY, peer_id TEXT NOT NULL, epoch INTEGER NOT NULL, fingerprint TEXT NOT NULL,
      begun_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE kv_writes (hour INTEGER PRIMARY KEY, writes INTEGER NOT NULL, peers INTEGER NOT NULL)`,
    `ALTER TABLE peers ADD COLUMN region TEXT`,
  ],
  [
    `ALTER TABLE webhook_sources ADD COLUMN filters TEXT NOT NULL DEFAULT '[]'`,
    `CREATE TABLE webhook_deliveries (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, received_at INTEGER NOT NULL,
      delivery_id TEXT NOT NULL, outcome TEXT NOT NULL, task_id TEXT, detail TEXT, bytes INTEGER NOT NULL, replay_of TEXT,
      sealed TEXT
    )`,
    `CREATE INDEX webhook_deliveries_sources ON webhook_deliveries (source, seq)`,
    `CREATE INDEX webhook_deliveries_ages ON webhook_deliveries (received_at)`,
  ],
  [
    `CREATE TABLE dials (
      id TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, name TEXT NOT NULL, public_key TEXT, peer_id TEXT,
      added_at INTEGER NOT NULL, added_by TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, due_at INTEGER,
      attempts INTEGER NOT NULL, failures INTEGER NOT NULL, last_error TEXT
    ) WITHOUT ROWID`,
    `CREATE INDEX dials_due ON dials (due_at) WHERE state IN ('waiting', 'dialling')`,
    `CREATE INDEX dials_states ON dials (state)`,
    `CREATE INDEX dials_peers ON dials (peer_id) WHERE peer_id IS NOT NULL`,
  ],
  [
    `DROP INDEX tasks_turns`,
    `DROP INDEX tasks_prefetched`,
    `CREATE INDEX tasks_waiting ON tasks (kind, requirements, turn, seq) WHERE state = 'queued'`,
    `CREATE INDEX tasks_prefetched ON tasks (kind, requirements, turn, seq) WHERE prefetched = 1`,
  ],
  [
    `CREATE TABLE directory_pages (page INTEGER PRIMARY KEY, name TEXT NOT NULL)`,
    `ALTER TABLE pointers ADD COLUMN copied TEXT`,
  ],
  [
    `CREATE TABLE task_results (
      task_id TEXT PRIMARY KEY, seal_to TEXT, sealed INTEGER NOT NULL, blob_id TEXT, bytes INTEGER, sha256 TEXT
    ) WITHOUT ROWID`,
    `CREATE TABLE result_uploads (
      task_id TEXT NOT NULL, blob_id TEXT NOT NULL, begun_at INTEGER NOT NULL, PRIMARY KEY (task_id, blob_id)
    ) WITHOUT ROWID`,
    `CREATE INDEX result_uploads_ages ON result_uploads (begun_at)`,
  ],
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
];

/** Brings a database of any age up to date; run at every wake. */
export function migrate(sql: Sql): void {
  sql.exec(`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)`);
  const row = sql.exec(`SELECT version FROM schema_version`)[0];
  const from = row === undefined ? 0 : number(row, "version");
  if (from >= MIGRATIONS.length) return;
  sql.transaction(() => {
    for (const statements of MIGRATIONS.slice(from))
      for (const statement of statements) sql.exec(statement);
    sql.exec(`DELETE FROM schema_version`);
    sql.exec(`INSERT INTO schema_version (version) VALUES (?)`, MIGRATIONS.length);
  });
}
