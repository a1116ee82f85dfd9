import { createHash } from "node:crypto";
import type { Bytes } from "../../base/bytes.ts";
import { PartCutter } from "../../backup/import-part.ts";
import type { BackupTarget } from "../../backup/read-backup.ts";
import type { OpenWith } from "../../backup/sealed-backup.ts";
import type { MeshClient } from "../../client/index.ts";
import { Failure } from "../failure.ts";
import { readBackupFile, type OpenedBackup } from "./backup-file.ts";

interface ImportOptions {
  readonly file: string;
  readonly opener: OpenWith | null;
  /** Called after each part; the next one waits for it. */
  readonly onPart: (sent: number, of: number) => void | Promise<void>;
}

/**
 * Restores a backup into an empty mesh over HTTP. The file is read twice: first to check it whole, so that nothing is sent of a damaged
 * one, then in parts that the mesh stores. A sealed file is opened here. Run again after a failure it goes on where it was.
 */
export async function importIntoMesh(
  { settings }: MeshClient,
  { file, opener, onPart }: ImportOptions,
): Promise<OpenedBackup> {
  let parts = 0;
  const checked = await readInParts(file, opener, () => void parts++);
  const { muster_backup, muster, schema, created_at, mesh_key } = checked.manifest;
  const { tables, rows, results, state_hash } = checked.summary;
  const begun = await settings.beginImport({
    muster_backup,
    muster,
    schema,
    created_at,
    mesh_key,
    tables,
    rows,
    results,
    state_hash,
  });
  if (begun.state === "committed") return checked;
  let sent = 0;
  // While a part is on its way the next one is read.
  let underWay: Promise<void> = Promise.resolve();
  const again = await readInParts(file, opener, async (part) => {
    await underWay;
    const number = ++sent;
    underWay = send(number, part);
    underWay.catch(() => {}); // thrown where it is awaited
  });
  await underWay;
  async function send(number: number, part: Bytes): Promise<void> {
    if (number > begun.parts) await settings.putImportPart(begun.id, number, part, sha256(part));
    await onPart(number, parts);
  }
  if (sent !== parts || again.summary.state_hash !== state_hash)
    throw new Failure(`${file} was changed while it was read`, "run the command again");
  const restored = await settings.commitImport(begun.id, sent);
  if (restored.state !== "committed" || restored.state_hash !== state_hash)
    throw new Failure(
      `the mesh has the state ${restored.state_hash}, the backup states ${state_hash}`,
      "check that --url names the right mesh",
    );
  return checked;
}

async function readInParts(
  file: string,
  opener: OpenWith | null,
  send: (part: Bytes) => void | Promise<void>,
): Promise<OpenedBackup> {
  const cutter = new PartCutter(send);
  const opened = await readBackupFile(file, ofOneCell(cutter), opener);
  await cutter.end();
  return opened;
}

/** Refuses the backup of several cells before anything of it is read. */
const ofOneCell = (cutter: PartCutter): BackupTarget => ({
  manifest({ cells }) {
    if (cells !== undefined)
      throw new Failure(
        `this backup has ${cells.length} cells: it can't be restored over HTTP`,
        "restore it into a folder with --dir",
      );
  },
  result: (id, content) => cutter.result(id, content),
  cell: () => cutter.cell(),
  table: (table, columns) => cutter.table(table, columns),
  rows: (rows, lines) => cutter.rows(rows, lines),
});

const sha256 = (bytes: Bytes): string => createHash("sha256").update(bytes).digest("base64");
