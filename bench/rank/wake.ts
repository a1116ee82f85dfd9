import { DatabaseSync } from "node:sqlite";
import { RankIndex } from "../../src/scoring/rank-index.ts";
import type { Role } from "../../src/protocol/messages.ts";
import type { Fleet } from "./fleet.ts";
import { cpuMs } from "./measure.ts";

interface Row {
  readonly id: string;
  readonly role: Role;
  readonly speaks_muster: number;
  readonly capabilities: string;
  readonly room: number;
  readonly score: number;
}

/** Milliseconds of CPU time to build the index from the rows of a fleet in SQLite, as the coordinator does when it wakes. */
export function wakeMs({ ids, traits, scores, room }: Fleet): number {
  const database = new DatabaseSync(":memory:");
  database.exec(
    `CREATE TABLE peers (id TEXT PRIMARY KEY, role TEXT NOT NULL, speaks_muster INTEGER NOT NULL,
     capabilities TEXT NOT NULL, room INTEGER NOT NULL, score REAL NOT NULL) WITHOUT ROWID`,
  );
  const insert = database.prepare(`INSERT INTO peers VALUES (?, ?, ?, ?, ?, ?)`);
  database.exec("BEGIN");
  for (const [n, { role, speaksMuster, capabilities }] of traits.entries())
    insert.run(
      ids[n] as string,
      role,
      Number(speaksMuster),
      JSON.stringify(capabilities),
      room[n] as number,
      scores[n] as number,
    );
  database.exec("COMMIT");
  const began = cpuMs();
  const index = new RankIndex(1);
  for (const row of database.prepare(`SELECT * FROM peers`).iterate() as Iterable<Row>) {
    const { id, role, speaks_muster, capabilities, score } = row;
    const own = {
      role,
      speaksMuster: speaks_muster !== 0,
      capabilities: JSON.parse(capabilities),
      free: true,
      fresh: false,
    };
    index.put(id, own, row.room === 0 ? null : score);
  }
  const took = cpuMs() - began;
  if (index.size !== ids.length) throw new Error("the index lacks peers");
  return took;
}
