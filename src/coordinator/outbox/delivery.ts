import type { Result } from "../../base/result.ts";
import type { Input, MeshCommandName, Output } from "../../contract/commands.ts";
import { blobKey, type Publication } from "../../discovery/sealed-records.ts";
import type { EndFault, SessionRef } from "../../peers/session-orders.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { OutboxItem } from "../../registry/outbox.ts";
import { resultKey } from "../tasks/results.ts";

/** Runs one command of the mesh itself. */
export type ExecuteMeshCommand = <K extends MeshCommandName>(
  name: K,
  input: Input<K>,
) => Result<Output<K>, MusterError>;

/** What an outbox entry does outside the database. It may fail, and may be done twice. */
export type OutboxAction =
  | { readonly type: "store_record"; readonly publication: Publication }
  | { readonly type: "delete"; readonly store: "own" | "replicas"; readonly key: string }
  | { readonly type: "end_session"; readonly to: SessionRef; readonly fault: EndFault }
  | { readonly type: "probe"; readonly to: SessionRef }
  | { readonly type: "send_to_cell"; readonly cell: number; readonly limit: number | undefined }
  | { readonly type: "pull_peers"; readonly cell: number }
  | { readonly type: "replicate"; readonly failures: number }
  | { readonly type: "check_copy" };

/** An action, and the command that records its success. */
export interface Delivery {
  readonly action: OutboxAction;
  readonly confirm: () => void;
}

/** How an outbox entry is delivered; null when there is nothing left to do for it. Performs nothing by itself. */
export function deliveryOf(
  { entry, failures }: Pick<OutboxItem, "entry" | "failures">,
  execute: ExecuteMeshCommand,
): Delivery | null {
  switch (entry.kind) {
    case "publish": {
      const prepared = execute("prepare_publication", { peerId: entry.peerId });
      if (!prepared.ok || prepared.value === null) return null;
      const { publication, ...of } = prepared.value;
      const { blobId } = publication;
      return {
        action: { type: "store_record", publication },
        confirm: () => void execute("published", { ...of, peerId: entry.peerId, blobId }),
      };
    }
    case "delete_blob":
      return {
        action: { type: "delete", store: "own", key: blobKey(entry.blobId) },
        confirm: () => void execute("blob_deleted", { blobId: entry.blobId }),
      };
    case "delete_result":
      return {
        action: { type: "delete", store: "own", key: resultKey(entry.blobId) },
        confirm: () => void execute("result_deleted", { blobId: entry.blobId }),
      };
    case "drop_copy":
      return {
        action: { type: "delete", store: "replicas", key: entry.key },
        confirm: () => void execute("copy_dropped", { key: entry.key }),
      };
    case "end_session": {
      const { to, fault } = entry;
      return {
        action: { type: "end_session", to, fault },
        confirm: () => void execute("session_ended", { to, fault }),
      };
    }
    case "probe": {
      const { to } = entry;
      return {
        action: { type: "probe", to },
        confirm: () => void execute("probed", { to }),
      };
    }
    case "send_to_cell":
      // What was taken is recorded by `messages_taken` (runner.ts).
      // After a failure the first message goes alone: it may be the one that can't be taken, and none before it waits with it.
      return {
        action: {
          type: "send_to_cell",
          cell: entry.cell,
          limit: failures === 0 ? undefined : 1,
        },
        confirm: () => {},
      };
    case "pull_peers":
      // How far it has come is recorded by `import_peers`.
      return { action: { type: "pull_peers", cell: entry.cell }, confirm: () => {} };
    case "replicate":
      // Its steps are confirmed one by one (replicate.ts).
      return { action: { type: "replicate", failures }, confirm: () => {} };
    case "check_copy":
      // What was found is recorded by `copy_checked` (replicate.ts).
      return { action: { type: "check_copy" }, confirm: () => {} };
    default:
      return entry satisfies never;
  }
}
