import type { PeerView, TaskSummary } from "../../../../src/protocol/http.ts";
import { line, percent, shortId } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { Meter } from "../../ui/meter.tsx";
import { State } from "../../ui/state.tsx";
import { Ago, Since } from "../../ui/time.tsx";
import type { Column } from "../../ui/virtual-table.tsx";
import { PeerLink } from "../peers/columns.tsx";

export const taskColumns = (
  peers: ReadonlyMap<string, PeerView> | null,
): readonly Column<TaskSummary>[] => [
  {
    id: "task",
    label: "Task",
    cell: ({ id, kind }) => (
      <span class="stacked">
        <strong>
          <a href={hashOf(["tasks", id])}>{line(kind)}</a>
        </strong>
        <span class="quiet mono">{shortId(id)}</span>
      </span>
    ),
  },
  {
    id: "state",
    label: "State",
    cell: ({ state, progress, message }) =>
      state === "running" && progress !== null ? (
        <span class="metered" title={message === null ? undefined : line(message)}>
          <State of={state} />
          <Meter share={progress} />
          <span class="figure quiet">{percent(progress)}</span>
        </span>
      ) : (
        <State of={state} />
      ),
  },
  {
    id: "peer",
    label: "Peer",
    cell: ({ peer_id: id }) =>
      id === null ? "–" : <PeerLink id={id} name={peers?.get(id)?.name ?? ""} />,
  },
  {
    id: "error",
    label: "Says",
    cell: ({ error, message, state }) => {
      const text = error ?? (state === "running" ? message : null);
      return text === null ? (
        <span class="quiet">–</span>
      ) : (
        <span class="clipped" title={line(text)}>
          {line(text)}
        </span>
      );
    },
  },
  {
    id: "tries",
    label: "Failed tries",
    isFigure: true,
    cell: ({ attempts_used: used, max_attempts: most }) =>
      used === 0 ? "–" : `${used} of ${most}`,
  },
  {
    id: "took",
    label: "Time",
    isFigure: true,
    cell: ({ created_at: from, ended_at: to }) => <Since from={from} to={to} />,
  },
  { id: "age", label: "Submitted", isFigure: true, cell: ({ created_at: at }) => <Ago at={at} /> },
];
