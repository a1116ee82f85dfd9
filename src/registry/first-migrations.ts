/** The oldest migrations: the first part of the list in `migrations.ts`. */
export const FIRST_MIGRATIONS: readonly (readonly string[])[] = [
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
];
