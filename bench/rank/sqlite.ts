import { EVERY_KIND } from "../../src/protocol/messages.ts";
import { DatabaseSync } from "node:sqlite";
import { RARE, type Query } from "./fleet.ts";
import type { Subject } from "./subject.ts";

/** SQLite in memory, with a partial index for each query, which is the fastest way in SQL. */
export const sqliteIndex: Subject = {
  name: "sqlite_index",
  description: "SQLite in memory (node:sqlite), with a partial index by score for each query",
  supports: ["any", "role", "rare"],
  build({ ids, traits, scores, room }) {
    const database = new DatabaseSync(":memory:");
    database.exec(
      `CREATE TABLE peers (id TEXT PRIMARY KEY, number INTEGER NOT NULL, dual INTEGER NOT NULL, muster INTEGER NOT NULL,
       rare INTEGER NOT NULL, room INTEGER NOT NULL, score REAL NOT NULL) WITHOUT ROWID`,
    );
    const insert = database.prepare(`INSERT INTO peers VALUES (?, ?, ?, ?, ?, ?, ?)`);
    database.exec("BEGIN");
    for (const [n, { role, kinds, capabilities }] of traits.entries())
      insert.run(
        ids[n] as string,
        n,
        Number(role === "dual"),
        Number(kinds.includes(EVERY_KIND)),
        Number(capabilities.includes(RARE)),
        room[n] as number,
        scores[n] as number,
      );
    database.exec("COMMIT");
    const where = {
      any: `room = 1 AND muster = 1`,
      role: `room = 1 AND muster = 1 AND dual = 1`,
      rare: `room = 1 AND muster = 1 AND rare = 1`,
    };
    for (const [asked, condition] of Object.entries(where))
      database.exec(`CREATE INDEX best_${asked} ON peers (score) WHERE ${condition}`);
    const best = (asked: Query) =>
      database.prepare(
        `SELECT id, number FROM peers WHERE ${where[asked]} ORDER BY score DESC LIMIT 1`,
      );
    const picks = { any: best("any"), role: best("role"), rare: best("rare") };
    const update = database.prepare(`UPDATE peers SET score = ? WHERE id = ?`);
    const fill = database.prepare(`UPDATE peers SET room = 0 WHERE id = ?`);
    const free = database.prepare(`UPDATE peers SET room = 1, score = ? WHERE id = ?`);
    return {
      update: (peer, score) => void update.run(score, ids[peer] as string),
      takeBest(asked) {
        const row = picks[asked].get() as { readonly id: string; readonly number: number };
        fill.run(row.id);
        return row.number;
      },
      putBack: (peer, score) => void free.run(score, ids[peer] as string),
    };
  },
};
