import { useMemo } from "preact/hooks";
import type { TaskView } from "../../../../src/protocol/http.ts";
import { mayWork } from "../../api/session.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { LiveValue } from "../../live/live-value.ts";
import { place } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { line, percent } from "../../model/format.ts";
import { memberText } from "../../model/json-value.ts";
import { JsonText } from "../../ui/json-text.tsx";
import { Meter } from "../../ui/meter.tsx";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { Ago, Since } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { Attempts } from "./attempts.tsx";
import { Callback } from "./callback.tsx";
import { LargeResult } from "./large-result.tsx";
import { TaskActions } from "./task-actions.tsx";
import { TaskFacts } from "./task-facts.tsx";
import { Why } from "./why.tsx";

const PAUSE_MS = 1_000;

interface ShownTask {
  readonly task: TaskView;
  /** Payload and result as they came: `JSON.parse` would round large numbers. */
  readonly payload: string;
  readonly result: string;
}

/** One task: what became of it, why its peer got it, and what it takes and gives. */
export const Task = () => {
  const id = place.value.path[1] ?? "";
  const { session, mesh } = useData();
  const { api } = session;
  const live = useMemo(
    () =>
      new LiveValue<ShownTask>(
        async (signal) => {
          const answer = await api.text("GET", `/v1/tasks/${encodeURIComponent(id)}`, { signal });
          return {
            task: JSON.parse(answer) as TaskView,
            payload: memberText(answer, "payload") ?? "null",
            result: memberText(answer, "result") ?? "null",
          };
        },
        PAUSE_MS,
        { feed: mesh.events, isAbout: (event) => isOfTask(event, id) },
      ),
    [api, mesh, id],
  );
  const { value, error } = useLive(live);
  if (value === null)
    return (
      <Page title="Task">
        <Loading error={error} />
      </Page>
    );

  const { task, payload, result } = value;
  return (
    <Page
      title={line(task.kind)}
      about={
        <span class="facts-line">
          <State of={task.state} />
          <Since from={task.created_at} to={task.ended_at} />
          <span>
            submitted <Ago at={task.created_at} />
          </span>
          <span class="mono">{task.id}</span>
        </span>
      }
      actions={
        mayWork(session.caller) ? (
          <TaskActions task={task} onDone={() => live.refresh()} />
        ) : undefined
      }
    >
      {error !== null && <p class="error">{error}</p>}
      {task.error !== null && <p class="verdict tone-bad small">{line(task.error)}</p>}
      {task.state === "running" && <Progress task={task} />}
      <Attempts task={task} />
      <Why task={task} />
      <div class="columns">
        <Panel title="Payload">
          {task.payload_dropped ? (
            <p class="quiet">The mesh has dropped it, some time after the end of the task.</p>
          ) : (
            <JsonText label="Payload" json={payload} />
          )}
        </Panel>
        <Panel title="Result">
          <Result task={task} result={result} />
        </Panel>
      </div>
      <div class="columns">
        <TaskFacts task={task} />
        {task.callback !== null && <Callback callback={task.callback} />}
      </div>
    </Page>
  );
};

const Progress = ({ task: { progress, message } }: { readonly task: TaskView }) => (
  <div class="progress">
    <Meter share={progress ?? 0} />
    <span class="figure">{percent(progress ?? 0)}</span>
    {message !== null && <span class="quiet">{line(message)}</span>}
  </div>
);

const Result = ({ task, result }: { readonly task: TaskView; readonly result: string }) => {
  if (task.state !== "succeeded")
    return (
      <p class="quiet">
        {task.ended_at === null ? "The task has not ended." : "It has no result."}
      </p>
    );
  if (task.result_bytes !== null) return <LargeResult task={task} />;
  return (
    <>
      {task.result_sealed && (
        <p class="quiet">
          It is sealed: only the owner of the key that the caller named can read it.
        </p>
      )}
      <JsonText label="Result" json={result} />
    </>
  );
};
