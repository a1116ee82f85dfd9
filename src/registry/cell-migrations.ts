/** The migrations that follow `MIGRATIONS`' own; append-only, as those. */
export const CELL_MIGRATIONS: readonly (readonly string[])[] = [
  [
    // What cells say to each other. A mesh of one cell has no rows in them.
    `CREATE TABLE cell_links (cell INTEGER PRIMARY KEY, sent INTEGER NOT NULL, received INTEGER NOT NULL)`,
    `CREATE TABLE cell_messages (
      cell INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (cell, seq)
    ) WITHOUT ROWID`,
  ],
  [
    // Peers that change their cell. A mesh of one cell has no rows in them.
    `CREATE TABLE departed_peers (
      peer_id TEXT PRIMARY KEY, token TEXT NOT NULL, cell INTEGER NOT NULL, rows TEXT NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX departed_peers_tokens ON departed_peers (token)`,
    `CREATE TABLE arrived_peers (
      token TEXT PRIMARY KEY, peer_id TEXT NOT NULL, cell INTEGER NOT NULL, at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX arrived_peers_ids ON arrived_peers (peer_id)`,
    `CREATE INDEX arrived_peers_ages ON arrived_peers (at)`,
    `CREATE TABLE peer_sources (
      peer_id TEXT NOT NULL, cell INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (peer_id, cell)
    ) WITHOUT ROWID`,
    `CREATE INDEX peer_sources_ends ON peer_sources (until)`,
    `CREATE TABLE peer_pulls (
      cell INTEGER PRIMARY KEY, version INTEGER NOT NULL, after_id TEXT, unmoved INTEGER NOT NULL, done INTEGER NOT NULL,
      unmoved_before INTEGER
    )`,
  ],
  [
    // Tasks that have moved between cells.
    `CREATE TABLE task_forwards (
      task_id TEXT PRIMARY KEY, cell INTEGER NOT NULL, seq INTEGER NOT NULL, owner TEXT NOT NULL, concurrency_key TEXT,
      expires_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE INDEX task_forwards_expiry ON task_forwards (expires_at)`,
    `CREATE INDEX task_forwards_owners ON task_forwards (owner)`,
    `CREATE TABLE task_arrivals (
      task_id TEXT PRIMARY KEY, hops INTEGER NOT NULL, permit_cell INTEGER, concurrency TEXT
    ) WITHOUT ROWID`,
  ],
  [
    // In cell 0: the connected peers of the other cells, of which it publishes the records.
    `CREATE TABLE remote_peers (
      peer_id TEXT PRIMARY KEY, cell INTEGER NOT NULL, session INTEGER NOT NULL, listed INTEGER NOT NULL,
      record TEXT, ended_at INTEGER
    )`,
    `CREATE INDEX remote_peers_listed ON remote_peers (listed) WHERE ended_at IS NULL`,
    `CREATE INDEX remote_peers_ended ON remote_peers (ended_at) WHERE ended_at IS NOT NULL`,
    // In the other cells: the peers of which cell 0 was told.
    `CREATE TABLE reported_peers (
      peer_id TEXT PRIMARY KEY, session INTEGER NOT NULL, digest TEXT NOT NULL, dial TEXT, reason TEXT NOT NULL,
      lingers INTEGER NOT NULL, has_left INTEGER NOT NULL, seq INTEGER NOT NULL
    )`,
  ],
  [
    `CREATE TABLE join_key_grants (key_id TEXT NOT NULL, peer_id TEXT NOT NULL, PRIMARY KEY (key_id, peer_id)) WITHOUT ROWID`,
  ],
  [`ALTER TABLE tasks ADD COLUMN considered TEXT`],
  [
    // Alerts about cells: since when a cell does not answer, and when a message was stored (null: by an earlier version).
    `CREATE TABLE silent_cells (cell INTEGER PRIMARY KEY, since INTEGER NOT NULL)`,
    `ALTER TABLE cell_messages ADD COLUMN at INTEGER`,
    `ALTER TABLE alerts ADD COLUMN cell INTEGER`,
  ],
  [
    // How many attempts at a task had failed when it came. Of those that an earlier version took it is not known.
    `ALTER TABLE task_arrivals ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0`,
  ],
  [
    // When a task came. Those that an earlier version took came long ago.
    `ALTER TABLE task_arrivals ADD COLUMN at INTEGER NOT NULL DEFAULT 0`,
  ],
];
