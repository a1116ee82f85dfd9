import { useMemo } from "preact/hooks";
import { mayWork } from "../../api/session.ts";
import { goTo, place, setQuery } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { counted, line, shortId } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { Select } from "../../ui/field.tsx";
import { Loading, Page } from "../../ui/page.tsx";
import { Search } from "../../ui/search.tsx";
import { VirtualTable } from "../../ui/virtual-table.tsx";
import { useData } from "../data.ts";
import { useBulk } from "./bulk.tsx";
import { taskColumns } from "./columns.tsx";
import { useTaskFeed } from "./task-feed.ts";

const STATES = [
  ["", "Any state"],
  ["queued", "Queued"],
  ["leased", "Leased"],
  ["running", "Running"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["expired", "Expired"],
  ["cancelled", "Cancelled"],
] as const;

const TASK_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const Tasks = () => {
  const { session, mesh } = useData();
  const { value: peers } = useLive(mesh.peers);
  const { state = "", kind = "", peer = "" } = place.value.query;
  const filter = { state, kind, peer };
  const { tasks, error, loadOlder, refresh } = useTaskFeed(filter);
  const columns = useMemo(() => taskColumns(peers), [peers]);
  const [dialog, bulk] = useBulk(filter, refresh);
  return (
    <Page
      title="Tasks"
      fills
      about={
        tasks === null
          ? ""
          : `${counted(tasks.length, "task")}${loadOlder === null ? "" : ", and older ones"}`
      }
      actions={
        mayWork(session.caller) && bulk !== null ? (
          <Button kind={bulk.danger ? "danger" : "plain"} onClick={bulk.ask}>
            {bulk.label}
          </Button>
        ) : undefined
      }
    >
      <div class="toolbar" role="search">
        <Search
          key={kind}
          label="Find tasks of a kind, or one by its ID"
          value={kind}
          onChange={search}
        />
        <Select
          label="State"
          value={state}
          options={STATES}
          onChange={(next) => setQuery({ state: next })}
        />
        {peer !== "" && (
          <button type="button" class="chip" onClick={() => setQuery({ peer: "" })}>
            at {line(peers?.get(peer)?.name ?? "") || shortId(peer)}{" "}
            <span aria-hidden="true">×</span>
            <span class="unseen">: show tasks of all peers</span>
          </button>
        )}
      </div>
      {tasks === null ? (
        <Loading error={error} />
      ) : (
        <>
          {error !== null && <p class="error">{error}</p>}
          <VirtualTable
            name="tasks-table"
            label="Tasks"
            rows={tasks}
            columns={columns}
            keyOf={({ id }) => id}
            empty={<p class="quiet">No task matches.</p>}
            foot={
              loadOlder === null ? undefined : (
                <p class="foot">
                  <Button onClick={loadOlder}>Load older tasks</Button>
                </p>
              )
            }
          />
        </>
      )}
      {dialog}
    </Page>
  );
};

/** A task by its ID, or tasks of a kind. */
function search(text: string): void {
  if (TASK_ID.test(text.trim())) goTo(["tasks", text.trim().toLowerCase()]);
  else setQuery({ kind: text.trim() });
}
