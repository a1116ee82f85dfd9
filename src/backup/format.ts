import { z } from "zod";
import { CELLS_MAX } from "../cells/topology.ts";

const Hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/*
 * A backup is a stream of lines, each one JSON in UTF-8:
 *
 *   {"muster_backup":1, …}                        the manifest
 *   {"result":ID,"bytes":N} and N bytes and "\n"  once for each task result in the store
 *   {"table":NAME,"columns":[…]}                  once for each table of the truth, in the order of their names
 *   [value, …]                                    once for each row, in the order of their keys
 *   {"cell":N,"schema":V}                         of a mesh of several cells: the tables that follow are those of cell N
 *   {"end":{…}}                                   counts, and the hash of the tables
 *   {"sha256":HEX}                                of every byte before this line; nothing follows
 *
 * The results come first because they are read first (`snapshot` of the commands says why).
 */

export const FORMAT_VERSION = 1;
/** The format of a mesh of several cells. That of one cell is readable by versions which know no cells. */
export const CELLS_FORMAT_VERSION = 2;

export const MANIFEST_BYTES_MAX = 64 * 1_024;
/** A row of SQLite has at most 2 MB here; JSON writes a control character as six bytes. */
export const LINE_BYTES_MAX = 16 * 1_024 * 1_024;
/** The largest value that KV stores. */
const RESULT_BYTES_MAX = 25 * 1_024 * 1_024;

/** Secrets by the names of their variables. */
const Secrets = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string().max(4_096));

const CellNumber = z
  .int()
  .min(0)
  .max(CELLS_MAX - 1);

/** What a backup says of itself. */
export const Manifest = z.strictObject({
  muster_backup: z.literal([FORMAT_VERSION, CELLS_FORMAT_VERSION]),
  /** The version of Muster that made it. */
  muster: z.string().max(100),
  /** The schema version of the rows; of several cells that of cell 0. */
  schema: z.int().positive(),
  created_at: z.iso.datetime(),
  /** The public key of the mesh: its secrets belong to this key. */
  mesh_key: Hex32,
  /** Null: they are not in the backup, and the restored mesh must be given them. */
  secrets: Secrets.nullable(),
  /** The numbers of the cells, ascending from 0; absent if cell 0 is the only one. */
  cells: z
    .array(CellNumber)
    .min(2)
    .refine(
      (cells) =>
        cells[0] === 0 && cells.every((cell, at) => at === 0 || cell > (cells[at - 1] ?? 0)),
    )
    .optional(),
});
export type Manifest = z.infer<typeof Manifest>;

const RESULT_ID = /^[0-9a-f]{32}$/;
export const ResultLine = z.strictObject({
  result: z.string().regex(RESULT_ID),
  bytes: z.int().nonnegative().max(RESULT_BYTES_MAX),
});

const Name = z.string().regex(/^[a-z][a-z0-9_]*$/);
export const TableLine = z.strictObject({ table: Name, columns: z.array(Name).min(1).max(200) });

/** The tables that follow are those of this cell, in this schema version. */
export const CellLine = z.strictObject({ cell: CellNumber.min(1), schema: z.int().positive() });

/** What the last line says. */
const End = z.strictObject({
  tables: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  results: z.int().nonnegative(),
  /** Results that tasks name and the store does not have. */
  missing_results: z.int().nonnegative(),
  /** SHA-256 of the lines of the tables. Two meshes in the same state have the same. */
  state_hash: Hex32,
});
export const EndLine = z.strictObject({ end: End });
export const HashLine = z.strictObject({ sha256: Hex32 });
export type BackupSummary = z.infer<typeof End>;

/** Why a file is no backup, or not a whole one. */
export type BackupFault =
  | "backup_unknown"
  | "backup_newer"
  | "backup_cut_off"
  | "backup_damaged"
  | "backup_sealed_otherwise";

export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly code: BackupFault;

  constructor(code: BackupFault, message: string) {
    super(message);
    this.code = code;
  }
}
