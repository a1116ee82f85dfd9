import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { findMeshParts } from "../src/cli/backup/mesh-parts.ts";
import { present } from "./must.ts";

/** The folders and backups that earlier versions of Muster have made (README.md beside them). */
const FIXTURES = join(import.meta.dirname, "fixtures/earlier");

/** Their names, in the order of their ages. */
export const EARLIER_SERVE = "2026-11-29-serve";
export const EARLIER_FOLDERS = [
  "2026-11-22-start",
  "2026-11-25-start-killed",
  EARLIER_SERVE,
] as const;
/** The backups of the last one, without the ends of their names. */
export const EARLIER_BACKUPS = join(FIXTURES, EARLIER_SERVE);

type Key = { readonly private_key: string; readonly public_key: string; readonly id: string };
type Shown = Readonly<Record<string, unknown>>;

/** What the earlier version showed of its mesh before it ended. */
export interface EarlierMesh {
  readonly made_at: number;
  readonly mesh_key: string;
  readonly admin_token: string;
  readonly schema: number;
  /** By table: the rows of its database after the end. */
  readonly rows: Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>;
  readonly state_hash?: string;
  readonly backup?: { readonly passphrase: string; readonly summary: Shown };
  readonly keys: { readonly worker: Key; readonly revoked: Key; readonly listed: Key };
  readonly tokens: Readonly<Record<"live" | "revoked", { readonly token: string }>>;
  readonly join_key: { readonly id: string };
  readonly webhook: { readonly source: string; readonly secret: string; readonly delivery: string };
  readonly idempotency_key: string;
  readonly shown: {
    readonly tasks: Readonly<Record<string, ShownTask>>;
    readonly peers: readonly (Shown & { readonly id: string })[];
    readonly join_keys: readonly (Shown & { readonly id: string })[];
    readonly audit: readonly Shown[];
  };
}

export interface ShownTask {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly payload: unknown;
  readonly result: unknown;
  readonly error: string | null;
  readonly created_at: string;
  readonly attempts: readonly Shown[];
}

export const earlierMesh = async (name: string): Promise<EarlierMesh> =>
  JSON.parse(await readFile(join(FIXTURES, `${name}.json`), "utf8")) as EarlierMesh;

/** Puts the folder that an earlier version has left into `to`, and returns it. */
export async function unpackEarlier(name: string, to: string): Promise<string> {
  await promisify(execFile)("tar", ["-xzf", join(FIXTURES, `${name}.tar.gz`), "-C", to]);
  return join(to, "mesh");
}

/** Times of the years 2023 to 2033, in milliseconds and seconds. No other number in these folders is as large as the former. */
const MILLIS = [1_700_000_000_000, 2_000_000_000_000] as const;
const SECONDS = [1_700_000_000, 2_000_000_000] as const;

/**
 * Moves every time in the databases of a folder, so that its mesh ended just now: tasks expire, and are removed, some weeks after
 * their submission.
 */
export async function moveTimes(dir: string, byMs: number): Promise<void> {
  const { database, results } = present(await findMeshParts(dir));
  results.close();
  moveColumns(database, MILLIS, byMs);
  const state = join(dir, "state");
  for (const [folder, range, by] of [
    ["v3/kv/miniflare-KVNamespaceObject", MILLIS, byMs],
    ["objects/muster-KvStore", SECONDS, Math.round(byMs / 1_000)],
  ] as const)
    for (const file of await readdir(join(state, folder)).catch(() => []))
      if (/^[0-9a-f]{64}\.sqlite$/.test(file)) moveColumns(join(state, folder, file), range, by);
}

function moveColumns(path: string, [from, to]: readonly [number, number], by: number): void {
  const database = new DatabaseSync(path);
  const columns = database
    .prepare(
      `SELECT m.name AS "table", i.name AS "column" FROM sqlite_master m JOIN pragma_table_info(m.name) i
        WHERE m.type = 'table' AND m.name NOT LIKE '\\_cf%' ESCAPE '\\' AND i.type IN ('INTEGER', 'REAL')`,
    )
    .all();
  for (const [table, column] of columns.map((row) => [String(row["table"]), String(row["column"])]))
    database
      .prepare(
        `UPDATE "${table}" SET "${column}" = "${column}" + ? WHERE "${column}" BETWEEN ? AND ?`,
      )
      .run(by, from, to);
  database.close();
}
