import type { BackupResult } from "../src/backup/write-backup.ts";
import { writeBackup } from "../src/backup/write-backup.ts";
import { FORMAT_VERSION } from "../src/backup/format.ts";
import type { Result } from "../src/base/result.ts";
import type { Input, Output } from "../src/contract/commands.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { resultKey } from "../src/coordinator/tasks/results.ts";
import type { BackupTablePage } from "../src/registry/backup-tables.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";
import { MUSTER_VERSION } from "../src/protocol/version.ts";
import type { BackupPage, BackupRow } from "../src/registry/backup-tables.ts";
import type { GatewayPort } from "../durable/coordinator-port.ts";
import { nativeHash } from "./native-hash.ts";

type Begun = Output<"begin_export">;
type Table = Begun["tables"][number];

export interface ExportSource {
  readonly coordinator: GatewayPort;
  readonly store: Pick<DiscoveryStore, "get">;
  /** The public key of the mesh, in hex. */
  readonly meshKey: string;
  readonly createdAt: string;
}

/**
 * The file of an export. It is made while it is read, a page and a result at a time. The secrets of the mesh are not in it: whoever
 * has an admin token does not have them. A stream that breaks has no last line, without which no file is a backup.
 */
export function exportStream(source: ExportSource, begun: Begun): ReadableStream<Uint8Array> {
  const reader = new ExportReader(source, begun);
  const chunks = writeBackup(
    {
      manifest: {
        muster_backup: FORMAT_VERSION,
        muster: MUSTER_VERSION,
        schema: begun.schema,
        created_at: source.createdAt,
        mesh_key: source.meshKey,
        secrets: null,
      },
      results: reader.results(),
      tables: reader.tables(),
      missingResults: () => reader.missing,
    },
    nativeHash,
  );
  return new ReadableStream(
    {
      async pull(out) {
        try {
          const { done, value } = await chunks.next();
          if (done !== true) return out.enqueue(value);
          // Before the close, which may end the request.
          await reader.end();
          out.close();
        } catch (error) {
          out.error(error);
          await reader.end();
        }
      },
      async cancel() {
        await reader.end();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Reads the coordinator's copy of its tables, and the results that it names: they are kept until the export has ended. */
class ExportReader {
  readonly #source: ExportSource;
  readonly #begun: Begun;
  missing = 0;

  constructor(source: ExportSource, begun: Begun) {
    this.#source = source;
    this.#begun = begun;
  }

  async *results(): AsyncGenerator<BackupResult, void, undefined> {
    const table = this.#begun.tables.find(({ name }) => name === "task_results");
    if (table === undefined) return;
    const column = table.columns.indexOf("blob_id");
    for await (const { rows } of this.#pages(table))
      for (const row of rows) {
        const id = row[column];
        if (typeof id !== "string") continue;
        const content = await this.#source.store.get(resultKey(id));
        if (content === null) this.missing++;
        else yield { id, bytes: content.length, content: [content] };
      }
  }

  async *tables(): AsyncGenerator<BackupTablePage, void, undefined> {
    for (const table of this.#begun.tables) yield* this.#pages(table);
  }

  async end(): Promise<void> {
    // A copy that is not removed now is removed when it was not read for a while.
    await this.#source.coordinator.call("end_export", { exportId: this.#begun.exportId });
  }

  async *#pages({ name, columns }: Table): AsyncGenerator<BackupTablePage, void, undefined> {
    let after: BackupRow | null = null;
    do {
      const input: Input<"read_export"> = { exportId: this.#begun.exportId, table: name, after };
      const page: Result<BackupPage, MusterError> = await this.#source.coordinator.call(
        "read_export",
        input,
      );
      if (!page.ok) throw new Error(`the export of ${name} failed: ${page.error.detail}`);
      yield { table: name, columns, rows: page.value.rows };
      after = page.value.next;
    } while (after !== null);
  }
}
