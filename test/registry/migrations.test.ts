import { describe, expect, test } from "vitest";
import { migrate } from "../../src/registry/migrate.ts";
import { MIGRATIONS } from "../../src/registry/migrations.ts";
import { NO_OWNER_LIMITS } from "../../src/registry/owner-limits.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { aPeer, aTask } from "../contracts/records.ts";
import { nodeSql } from "../node-sql.ts";

const schema = (sql: Sql) => sql.exec("SELECT name, sql FROM sqlite_master ORDER BY name");
const version = (sql: Sql) => sql.exec("SELECT version FROM schema_version");

/** The port, with a note of each statement that changes something. */
function watched(sql: Sql): { sql: Sql; writes: string[] } {
  const writes: string[] = [];
  const exec: Sql["exec"] = (query, ...bindings) => {
    if (!query.startsWith("SELECT")) writes.push(query);
    return sql.exec(query, ...bindings);
  };
  return { sql: { ...sql, exec }, writes };
}

describe("migrations", () => {
  test("bring an empty database up to date", () => {
    const sql = nodeSql();
    migrate(sql);
    openRegistry(sql).peers.put(aPeer());
    openRegistry(sql).tasks.insert(aTask());
    expect(version(sql)).toHaveLength(1);
  });

  test("do not run twice: the second time neither schema nor data changes", () => {
    const sql = nodeSql();
    migrate(sql);
    openRegistry(sql).peers.put(aPeer());
    const before = [schema(sql), version(sql)];
    const second = watched(sql);
    migrate(second.sql);
    expect(second.writes.filter((query) => !query.includes("IF NOT EXISTS"))).toEqual([]);
    expect([schema(sql), version(sql)]).toEqual(before);
    expect(openRegistry(sql).peers.get(aPeer().id)).toEqual(aPeer());
  });

  test("bring a database of version 0 to the same schema as an empty one", () => {
    const [fresh, old] = [nodeSql(), nodeSql()];
    old.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    old.exec("INSERT INTO schema_version (version) VALUES (0)");
    for (const sql of [fresh, old]) migrate(sql);
    expect(schema(old)).toEqual(schema(fresh));
    expect(version(old)).toEqual(version(fresh));
  });

  test("keep the data of a database of version 1, and fill in new columns", () => {
    const sql = nodeSql();
    const newest = version1(sql);
    sql.exec(
      `INSERT INTO allowlist (public_key, peer_id, label, roles, added_at) VALUES ('k', 'p', 'old', '["dual"]', 5)`,
    );
    migrate(sql);
    expect(openRegistry(sql).allowlist.list()).toEqual([
      {
        publicKey: "k",
        peerId: "p",
        label: "old",
        roles: ["dual"],
        goP2p: false,
        addedAt: 5,
        limits: NO_OWNER_LIMITS,
      },
    ]);
    expect(version(sql)).toEqual(newest);
  });

  test("find entries that an earlier version added to the outbox by their peer", () => {
    const sql = upTo(nodeSql(), "ALTER TABLE outbox ADD COLUMN peer_id");
    const add = (kind: string, subject: string) =>
      sql.exec(
        `INSERT INTO outbox (kind, subject, due_at, failures) VALUES (?, ?, 5, 0)`,
        kind,
        subject,
      );
    add("end_session", JSON.stringify(["p", "object", 3, "revoked", "this key was revoked"]));
    add("probe", JSON.stringify(["p", "object", 3]));
    add("publish", "p");
    migrate(sql);
    const { outbox } = openRegistry(sql);
    const to = { peerId: "p", session: "object", epoch: 3 };
    expect(outbox.unconfirmedEnds("p")).toEqual([to]);
    expect(new Set(outbox.due(5, 9).map(({ entry }) => entry))).toEqual(
      new Set([
        { kind: "end_session", to, fault: { code: "revoked", detail: "this key was revoked" } },
        { kind: "probe", to },
        { kind: "publish", peerId: "p" },
      ]),
    );
    expect(sql.exec(`SELECT DISTINCT peer_id FROM outbox`)).toEqual([{ peer_id: "p" }]);
  });

  test("GP12 give the peers of go-p2p generation 1, the only one that was spoken before", () => {
    const sql = upTo(nodeSql(), "ALTER TABLE peers ADD COLUMN go_p2p_generation");
    for (const [id, protocol] of [
      ["a", "'go-p2p/1.0'"],
      ["b", "'muster/2'"],
      ["c", "NULL"],
    ]) {
      sql.exec(
        `INSERT INTO peers (id, name, public_key, address, role, added_at, state, state_since, epoch, held, protocol, speaks_muster,
           may_assign, capabilities, slots, successes, failures, score)
         VALUES (?, '', ?, '', 'worker', 1, 'stale', 1, 1, 0, ${protocol}, 0, 0, '[]', 1, 0, 0, 0.5)`,
        String(id),
        String(id),
      );
    }
    migrate(sql);
    const { peers } = openRegistry(sql);
    expect(["a", "b", "c"].map((id) => peers.get(id)?.goP2pGeneration)).toEqual([1, null, null]);
  });

  test("keep adverts, correlated failures and task kinds when their tables take new names", () => {
    const sql = upTo(nodeSql(), "ALTER TABLE hearsay RENAME");
    sql.exec(
      `INSERT INTO hearsay (teller_id, peer_id, public_key, address, role, rtt_ms, hops, told_at, heard_at)
       VALUES ('a', 'p', 'k', '', 'worker', 5, 2, 7, 8)`,
    );
    sql.exec(
      `INSERT INTO silences (kind, name, window_at, events, members, mass_until) VALUES ('network', 'n', 1, 2, 3, 4)`,
    );
    sql.exec(
      `INSERT INTO kinds (kind, mean_ms, weight, incumbent, used_at) VALUES ('echo', 20, 3, 'p', 9)`,
    );
    migrate(sql);
    const { advertisedPeers, correlatedFailures, kinds } = openRegistry(sql);
    expect(advertisedPeers.of("p")).toMatchObject({
      advertiser: "a",
      advertisedAt: 7,
      heardAt: 8,
    });
    expect(correlatedFailures.get({ by: "network", name: "n", listed: false })).toMatchObject({
      windowAt: 1,
      events: 2,
      members: 3,
      correlatedUntil: 4,
    });
    expect(kinds.get("echo")).toMatchObject({ incumbent: "p", usedAt: 9 });
  });

  test("that fail leave the database unchanged, and run when it is opened again", () => {
    const sql = nodeSql();
    let left = 10;
    const breaking: Sql = {
      ...sql,
      exec(query, ...bindings) {
        if (--left < 0) throw new Error("the disk is full");
        return sql.exec(query, ...bindings);
      },
    };
    expect(() => migrate(breaking)).toThrow("the disk is full");
    expect(schema(sql)).toEqual([]);
    migrate(sql);
    expect(version(sql)).toHaveLength(1);
  });

  test("leave a database of a later version unchanged, as after a rolled-back deploy", () => {
    const sql = nodeSql();
    migrate(sql);
    sql.exec("UPDATE schema_version SET version = 1000");
    const before = schema(sql);
    migrate(sql);
    expect([schema(sql), version(sql)]).toEqual([before, [{ version: 1_000 }]]);
  });
});

/** Makes the database one of version 1; returns what the newest version is. */
function version1(sql: Sql) {
  const stop = new Error("the first migration is through");
  const first: Sql = {
    ...sql,
    exec(query, ...bindings) {
      if (query.includes("CREATE TABLE api_tokens")) throw stop;
      return sql.exec(query, ...bindings);
    },
    transaction: (body) => body(),
  };
  // To an older version the migrations run one after another, from the first.
  expect(() => migrate(first, MIGRATIONS.length - 1)).toThrow(stop);
  sql.exec("INSERT INTO schema_version (version) VALUES (1)");
  const newest = nodeSql();
  migrate(newest);
  return version(newest);
}

/** The database as the migrations before the one that contains a statement left it. */
function upTo(sql: Sql, statement: string): Sql {
  const index = MIGRATIONS.findIndex((statements) =>
    statements.some((each) => each.startsWith(statement)),
  );
  expect(index).toBeGreaterThan(0);
  sql.exec(`CREATE TABLE schema_version (version INTEGER NOT NULL)`);
  for (const each of MIGRATIONS.slice(0, index).flat()) sql.exec(each);
  sql.exec(`INSERT INTO schema_version (version) VALUES (?)`, index);
  return sql;
}
