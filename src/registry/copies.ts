import type { Millis } from "../base/clock.ts";
import { readPointer, type PublishedPointer } from "./pointers.ts";
import { setSetting } from "./setting-row.ts";
import { json, number, text, type Sql, type SqlRow } from "./sql.ts";

/** The last directory that was written to the replicas' store. */
export interface CopiedDirectory {
  /** The directory's hash; null while there is none. If the store has another one, it has lost its content. */
  readonly name: string | null;
  /** Sequence number of the last change that it contains. */
  readonly seq: number;
  /** Number of ID bits that select a page. */
  readonly bits: number;
  /** Its epochs and their valid reader tokens, as one text for comparison. */
  readonly readers: string;
  /** Whether a blob that it names could not be copied. */
  readonly incomplete: boolean;
  /** When it was signed. */
  readonly issuedAt: Millis;
}

/** A pointer, and whether the replicas' store has its blob. */
export type CopiedPointer = PublishedPointer & { readonly copied: boolean };

const hexByte = (value: number): string => value.toString(16).padStart(2, "0");

/**
 * What the replicas' store has: the setting `directory`, the table `directory_pages`, and the column
 * `pointers.copied`.
 */
export function copiesTable(sql: Sql) {
  return {
    /** Null before anything was copied. */
    last(): CopiedDirectory | null {
      const row = sql.exec(`SELECT value FROM settings WHERE key = 'directory'`)[0];
      if (row === undefined) return null;
      // Older meshes wrote none.
      return { issuedAt: 0, ...json<Omit<CopiedDirectory, "issuedAt">>(row, "value") };
    },
    setLast(copied: CopiedDirectory): void {
      setSetting(sql, "directory", JSON.stringify(copied));
    },
    /** Names of the copied pages, by their number. */
    pages(): ReadonlyMap<number, string> {
      const rows = sql.exec(`SELECT page, name FROM directory_pages`);
      return new Map(rows.map((row) => [number(row, "page"), text(row, "name")]));
    },
    setPages(names: readonly string[]): void {
      for (const [page, name] of names.entries())
        sql.exec(
          `INSERT INTO directory_pages (page, name) VALUES (?, ?)
           ON CONFLICT (page) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`,
          page,
          name,
        );
      sql.exec(`DELETE FROM directory_pages WHERE page >= ?`, names.length);
    },
    setCopied(blobIds: readonly string[]): void {
      sql.exec(
        `UPDATE pointers SET copied = blob_id WHERE blob_id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(blobIds),
      );
    },
    forgetAll(): void {
      sql.exec(`DELETE FROM directory_pages`);
      sql.exec(`UPDATE pointers SET copied = NULL WHERE copied IS NOT NULL`);
    },
    /** Pointers that changed after this number and have no signature, or are listed without a copy of their blob. */
    unready(since: number, now: Millis, limit: number): readonly CopiedPointer[] {
      return sql
        .exec(
          `SELECT *, copied IS blob_id AS is_copied FROM pointers WHERE seq > ? AND state <> 'staged' AND expires_at > ?
             AND (signature IS NULL OR (state = 'listed' AND copied IS NOT blob_id)) ORDER BY seq LIMIT ?`,
          since,
          now,
          limit,
        )
        .map((row) => ({ ...readPointer(row), copied: number(row, "is_copied") === 1 }));
    },
    /** First bytes of the IDs that changed after this number. */
    changedBytes(since: number): readonly number[] {
      return sql
        .exec(
          `SELECT DISTINCT substr(id, 1, 2) AS byte FROM pointers WHERE seq > ? AND state <> 'staged'`,
          since,
        )
        .map((row) => Number.parseInt(text(row, "byte"), 16));
    },
    /** Number of pointers that are shown, listed or removed. */
    count(): number {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM pointers WHERE state <> 'staged'`)[0];
      return number(row as SqlRow, "count");
    },
    /** Those whose IDs begin with one of `width` bytes from this one on, and have not expired. */
    startingWith(byte: number, width: number, now: Millis): readonly PublishedPointer[] {
      // "g" comes after every hex digit.
      const end = byte + width > 255 ? "g" : hexByte(byte + width);
      return sql
        .exec(
          `SELECT * FROM pointers WHERE id >= ? AND id < ? AND state <> 'staged' AND expires_at > ? ORDER BY id`,
          hexByte(byte),
          end,
          now,
        )
        .map(readPointer);
    },
  };
}
