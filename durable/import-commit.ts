import { commitImport } from "../src/coordinator/storage/commit-import.ts";
import type { ImportCopy } from "../src/registry/import-copy.ts";
import { REPLACED } from "./coordinator-errors.ts";
import { REOPEN_AFTER_MS, TICK_AFTER_MS } from "./reopen-times.ts";
import type { RpcAnswer } from "./rpc.ts";
import { log } from "./worker-log.ts";

/**
 * Makes the rows of an import those of the mesh, and ends the object soon after the answer: everything in its memory is of the rows
 * before.
 *
 * @param replaced called once the rows are replaced
 */
export async function commitAndReopen(
  ctx: DurableObjectState,
  copy: ImportCopy,
  { id, parts }: { readonly id: string; readonly parts: number },
  replaced: () => void,
): Promise<RpcAnswer> {
  const committed = commitImport(copy, id, parts);
  if (!committed.ok) return committed;
  replaced();
  await ctx.storage.setAlarm(Date.now() + TICK_AFTER_MS);
  await ctx.storage.sync();
  log.write("import.committed", {});
  setTimeout(() => ctx.abort(REPLACED.detail), REOPEN_AFTER_MS);
  return committed;
}
