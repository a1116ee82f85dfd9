import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE } from "../../src/base/clock.ts";
import { backupTables } from "../../src/registry/backup-tables.ts";
import { continueAfterRestore, markRestored } from "../../src/registry/after-restore.ts";
import { EventLog, type LoggedEvent } from "../../src/registry/event-log.ts";
import { EventRecorder } from "../../src/registry/event-recorder.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { nodeSql } from "../node-sql.ts";

const START = 1_795_348_800_000;
const LIMITS = { rows: 8, bytes: 3_000 };

/** A log whose commits have as many events as the test says. */
function testLog() {
  const database = nodeSql();
  openRegistry(database);
  const statements = { writes: 0 };
  const sql: typeof database = {
    ...database,
    exec(query, ...bindings) {
      if (!query.startsWith("SELECT")) statements.writes++;
      return database.exec(query, ...bindings);
    },
  };
  const recorder = new EventRecorder();
  let log = new EventLog(sql, recorder, LIMITS);
  log.follow(START);
  let recorded = 0;
  return {
    sql,
    statements,
    get log() {
      return log;
    },
    restart: () => (log = new EventLog(sql, recorder, LIMITS)),
    /** Commits so many events, or undoes them, and returns the peers that they name. */
    commit(count: number, now: number, fails = false): readonly string[] {
      const peers = Array.from({ length: count }, () => `peer ${++recorded}`);
      for (const each of [recorder, log]) each.begin();
      try {
        sql.transaction(() => {
          for (const peer of peers) recorder.record({ type: "peer.removed", peer });
          log.write(now);
          if (fails) throw new Error("undone");
        });
        for (const each of [recorder, log]) each.commit();
        return peers;
      } catch {
        for (const each of [recorder, log]) each.rollback();
        return [];
      }
    },
  };
}

const peersOf = (events: readonly LoggedEvent[]): readonly string[] =>
  events.map(({ event }) => (event as { readonly peer: string }).peer);

const anyCommit = fc.record({
  count: fc.integer({ min: 0, max: 30 }),
  passedMs: fc.constantFrom(-5_000, 0, 0, 1, 1_000),
  fails: fc.boolean(),
  restarts: fc.boolean(),
});

describe("the event log", () => {
  test("EV3 numbers only grow, whatever the clock does, across undone commits, restarts and overwritten rows", () => {
    fc.assert(
      fc.property(fc.array(anyCommit, { maxLength: 40 }), (commits) => {
        const logged = testLog();
        let [now, newest] = [START, 0];
        for (const { count, passedMs, fails, restarts } of commits) {
          now += passedMs;
          const committed = logged.commit(count, now, fails);
          if (restarts) logged.restart();
          if (committed.length === 0) continue;
          const { events } = logged.log.read(null, 1_000);
          const ids = events.slice(-committed.length).map(({ id }) => id);
          for (const id of ids) {
            expect(id).toBeGreaterThan(newest);
            newest = id;
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("EV4 the log stays within its rows and bytes, and a full one overwrites its oldest row in place", () => {
    fc.assert(
      fc.property(fc.array(anyCommit, { maxLength: 40 }), (commits) => {
        const logged = testLog();
        for (const [index, { count, fails, restarts }] of commits.entries()) {
          logged.commit(count, START + index, fails);
          if (restarts) logged.restart();
          const [row] = logged.sql.exec(
            `SELECT COUNT(*) AS n, COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(octet_length(events)), 0) AS stored FROM event_log`,
          );
          expect(Number(row?.["n"])).toBeLessThanOrEqual(LIMITS.rows);
          expect(Number(row?.["bytes"])).toBeLessThanOrEqual(LIMITS.bytes);
          expect(Number(row?.["stored"])).toBeLessThanOrEqual(Number(row?.["bytes"]));
        }
        for (let index = 0; index < LIMITS.rows + 1; index++) logged.commit(1, START + 100 + index);
        logged.statements.writes = 0;
        for (let index = 0; index < 20; index++) logged.commit(1, START + 200 + index);
        expect(logged.statements.writes).toBe(20);
      }),
      { numRuns: 100 },
    );
  });

  test("EV5 reading on from any number gives each later event once and in order, or says that there is a gap", () => {
    fc.assert(
      fc.property(
        fc.array(anyCommit, { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (commits, limit) => {
          const logged = testLog();
          const all: string[] = [];
          const seen: LoggedEvent[] = [];
          for (const [index, { count, passedMs, fails, restarts }] of commits.entries()) {
            all.push(...logged.commit(count, START + index + passedMs, fails));
            if (restarts) logged.restart();
            const kept = logged.log.read(null, 1_000).events;
            for (const event of kept) if (event.id > (seen.at(-1)?.id ?? 0)) seen.push(event);
          }
          const kept = logged.log.read(null, 1_000).events;
          expect(peersOf(kept)).toEqual(all.slice(all.length - kept.length));
          const before = seen.length - kept.length;
          for (const [index, { id }] of seen.entries()) {
            const read: LoggedEvent[] = [];
            let after = id;
            const { isGap } = logged.log.read(after, limit);
            // The event before the oldest one that is kept is the last from which nothing is missing.
            expect(isGap).toBe(index < before - 1);
            for (;;) {
              const page = logged.log.read(after, limit);
              if (page.events.length === 0) break;
              read.push(...page.events);
              after = page.events.at(-1)?.id ?? after;
            }
            expect(read).toEqual(kept.filter((event) => event.id > id));
          }
          const newest = logged.log.newest();
          if (newest !== null) expect(logged.log.read(newest + 1, 1).isGap).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("EV6 a backup leaves the log out, and a restored mesh begins a new one above every earlier number", () => {
    const logged = testLog();
    logged.commit(3, START);
    const newest = logged.log.newest() ?? 0;
    expect(backupTables(logged.sql).map(({ name }) => name)).not.toContain("event_log");
    markRestored(logged.sql);
    continueAfterRestore(logged.sql, START + 1);
    logged.restart();
    expect(logged.log.read(newest, 10)).toEqual({ isGap: true, events: [] });
    logged.commit(1, START + 2);
    const { isGap, events } = logged.log.read(newest, 10);
    expect(isGap).toBe(true);
    expect(events.map(({ id }) => id > newest)).toEqual([true]);
  });

  test("EV8 nothing is written while nobody has followed for an hour, and a new follower is told of the gap", () => {
    for (const restarts of [false, true]) {
      const logged = testLog();
      logged.log.follow(START);
      logged.commit(2, START + HOUR - 1);
      const newest = logged.log.newest();
      if (restarts) logged.restart();
      logged.commit(2, START + HOUR);
      if (restarts) logged.restart();
      logged.statements.writes = 0;
      logged.commit(2, START + HOUR + 1);
      // A clock that goes back does not hide that events are missing.
      logged.commit(2, START + HOUR - 1);
      expect(logged.statements.writes).toBe(0);
      logged.log.follow(START + HOUR + 1);
      if (restarts) logged.restart();
      expect(logged.log.read(newest, 10)).toEqual({ isGap: true, events: [] });
      const committed = logged.commit(2, START + HOUR + 2);
      const { isGap, events } = logged.log.read(newest, 10);
      expect([isGap, peersOf(events)]).toEqual([true, committed]);
      // A follower that comes back within the hour misses nothing.
      logged.log.follow(START + HOUR + 1 + 50 * MINUTE);
      logged.commit(1, START + 2 * HOUR + 49 * MINUTE);
      expect(logged.log.read(events.at(-1)?.id ?? 0, 10)).toMatchObject({
        isGap: false,
        events: [{}],
      });
    }
  });
});
