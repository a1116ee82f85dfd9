/** Acts on all tasks that meet the filter of the list: cancel those that have not ended, retry those that failed. */
import type { ComponentChildren } from "preact";
import type { BulkView } from "../../../../src/protocol/http.ts";
import { messageOf } from "../../api/api-error.ts";
import type { MeshApi } from "../../api/mesh-api.ts";
import { counted } from "../../model/format.ts";
import { useConfirm } from "../../ui/confirm.tsx";
import { notify } from "../../ui/notices.tsx";
import { useData } from "../data.ts";
import { queryOf, type TaskFilter } from "./task-feed.ts";

interface BulkAct {
  readonly path: string;
  readonly label: string;
  readonly done: string;
  readonly danger: boolean;
}

const CANCEL: BulkAct = {
  path: "/v1/tasks/cancel",
  label: "Cancel all that match",
  done: "cancelled",
  danger: true,
};
const RETRY: BulkAct = {
  path: "/v1/tasks/retry",
  label: "Retry all that match",
  done: "back in the queue",
  danger: false,
};

/** The act that the state of the filter allows. Without a state there is none: the act would concern every task of the mesh. */
const ACTS: Readonly<Record<string, BulkAct>> = {
  queued: CANCEL,
  leased: CANCEL,
  running: CANCEL,
  failed: RETRY,
  expired: RETRY,
  cancelled: RETRY,
};

interface Offered {
  readonly label: string;
  readonly danger: boolean;
  readonly ask: () => void;
}

/** The dialog while it is open, and the act that is offered. */
export function useBulk(
  filter: TaskFilter,
  onDone: () => void,
): readonly [ComponentChildren, Offered | null] {
  const { api } = useData().session;
  const [dialog, confirm] = useConfirm();
  const act = ACTS[filter.state];
  if (act === undefined) return [dialog, null];
  const selected = queryOf(filter);
  const ask = async (): Promise<void> => {
    const tasks = await actOn(api, act.path, selected, true);
    confirm({
      title: act.label,
      body: (
        <p>
          {counted(tasks, "task")} of state <strong>{filter.state}</strong>
          {filter.kind !== "" && (
            <>
              {" "}
              and kind <strong>{filter.kind}</strong>
            </>
          )}{" "}
          will be {act.done}.
        </p>
      ),
      action: act.label,
      danger: act.danger,
      run: async () => {
        const changed = await actOn(api, act.path, selected, false);
        onDone();
        return `${counted(changed, "task")} ${changed === 1 ? "is" : "are"} ${act.done}.`;
      },
    });
  };
  return [
    dialog,
    {
      label: act.label,
      danger: act.danger,
      ask: () => void ask().catch((error: unknown) => notify(messageOf(error))),
    },
  ];
}

/** Sends the act piece by piece. Returns how many tasks it changed, or would change. */
async function actOn(
  api: MeshApi,
  path: string,
  filter: object,
  isDryRun: boolean,
): Promise<number> {
  let changed = 0;
  let cursor: string | null = null;
  do {
    const json: object = { filter, dry_run: isDryRun, ...(cursor !== null && { cursor }) };
    const piece: BulkView = await api.send("POST", path, { json });
    changed += piece.count;
    cursor = piece.next_cursor;
  } while (cursor !== null);
  return changed;
}
