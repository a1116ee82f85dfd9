import { describe, expect, test } from "vitest";
import { KvEntries, type KvSql } from "../../server/workers/kv-entries.ts";
import { nodeSql } from "../node-sql.ts";

const kvSql = () => nodeSql() as unknown as KvSql;

const bytes = (...values: number[]) => Uint8Array.from(values);
const FOREVER = { expiration: null, metadata: null };

describe("the entries of a KV namespace", () => {
  test("SV4 an entry is not served from its expiration on, by no means", () => {
    const entries = new KvEntries(kvSql());
    entries.put("a", bytes(1), { expiration: 100, metadata: null });
    entries.put("b", bytes(2), FOREVER);
    expect(entries.get("a", 99)?.value).toEqual(bytes(1));
    expect(entries.get("a", 100)).toBeNull();
    const listed = (now: number) =>
      entries.list({ prefix: "", limit: 10, after: null }, now).keys.map(({ name }) => name);
    expect(listed(99)).toEqual(["a", "b"]);
    expect(listed(100)).toEqual(["b"]);
  });

  test("SV4 expired entries are removed with their values, and the next expiration is returned", () => {
    const sql = kvSql();
    const entries = new KvEntries(sql);
    const count = (table: string) => sql.exec(`SELECT count(*) AS n FROM ${table}`)[0]?.["n"];
    for (let n = 0; n < 250; n++)
      entries.put(`short/${n}`, bytes(n % 256), { expiration: 100, metadata: null });
    entries.put("long", new Uint8Array(3_000_000), { expiration: 900, metadata: null });
    entries.put("kept", new Uint8Array(3_000_000), FOREVER);
    expect(entries.removeExpired(99)).toBe(100);
    expect(count("entries")).toBe(252);
    expect(entries.removeExpired(100)).toBe(100); // there are more than it removes at once
    expect(entries.removeExpired(100)).toBe(900);
    expect([count("entries"), count("chunks")]).toEqual([2, 6]);
    expect(entries.removeExpired(900)).toBeNull();
    expect([count("entries"), count("chunks")]).toEqual([1, 3]);
    expect(entries.get("kept", 1_000)?.value).toHaveLength(3_000_000);
  });

  test("SV2 a write that fails leaves the value before it", () => {
    const sql = kvSql();
    let fails = false;
    const entries = new KvEntries({
      transaction: (body) => sql.transaction(body),
      exec: (query, ...bindings) => {
        if (fails && query.startsWith("INSERT INTO chunks") && bindings[1] === 1)
          throw new Error("database or disk is full");
        return sql.exec(query, ...bindings);
      },
    });
    entries.put("a", bytes(1, 2), { expiration: null, metadata: '"m"' });
    fails = true;
    expect(() => entries.put("a", new Uint8Array(2_500_000), FOREVER)).toThrow("full");
    expect(entries.get("a", 0)).toEqual({ value: bytes(1, 2), metadata: '"m"' });
  });
});
