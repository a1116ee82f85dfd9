import type { BackupSummary, Manifest } from "../../backup/format.ts";
import { note, print, printJson } from "../output.ts";

interface Shown {
  readonly file: string;
  readonly sealed: boolean;
  readonly manifest: Manifest;
  readonly summary: BackupSummary;
}

/** Prints what is in a backup. */
export function printSummary({ file, sealed, manifest, summary }: Shown, json: boolean): void {
  const { muster, schema, created_at, mesh_key, secrets } = manifest;
  const shown = {
    file,
    sealed,
    muster,
    schema,
    created_at,
    mesh_key,
    secrets: secrets !== null,
    ...summary,
  };
  if (json) printJson(shown);
  else {
    const { tables, rows, results, missing_results: missing, state_hash } = summary;
    print([
      `file        ${file}${sealed ? " (sealed)" : ""}`,
      `made        ${created_at} by Muster ${muster}, schema version ${schema}`,
      `mesh key    ${mesh_key}`,
      `secrets     ${secrets === null ? "not in the file" : "in the file"}`,
      `contents    ${rows} rows of ${tables} tables, ${results} large results`,
      `state hash  ${state_hash}`,
    ]);
    if (missing > 0)
      note(
        `warning: ${missing} large results that tasks name are neither in the mesh's store nor in the backup`,
      );
  }
}
