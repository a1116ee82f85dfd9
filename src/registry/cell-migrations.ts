/** The migrations that follow `MIGRATIONS`' own; append-only, as those. */
export const CELL_MIGRATIONS: readonly (readonly string[])[] = [
  [
    // What cells say to each other. A mesh of one cell has no rows in them.
    `CREATE TABLE cell_links (cell INTEGER PRIMARY KEY, sent INTEGER NOT NULL, received INTEGER NOT NULL)`,
    `CREATE TABLE cell_messages (
      cell INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (cell, seq)
    ) WITHOUT ROWID`,
  ],
];
