import type { PeerView } from "../../../../src/protocol/http.ts";
import { count, duration, line, score, shortId } from "../../model/format.ts";
import { conditionOf } from "../../model/peer-table.ts";
import { hashOf } from "../../model/route.ts";
import { Meter } from "../../ui/meter.tsx";
import { State } from "../../ui/state.tsx";
import { Ago } from "../../ui/time.tsx";
import type { Column } from "../../ui/virtual-table.tsx";

/** The link to a peer, by its name if it has one. */
export const PeerLink = ({ id, name }: { readonly id: string; readonly name: string }) => (
  <a href={hashOf(["peers", id])} title={id}>
    {name === "" ? shortId(id) : line(name)}
  </a>
);

export const COLUMNS: readonly Column<PeerView>[] = [
  {
    id: "name",
    label: "Peer",
    cell: ({ id, name, role }) => (
      <span class="stacked">
        <strong>
          <PeerLink id={id} name={name} />
        </strong>
        <span class="quiet">
          <span class="mono">{shortId(id)}</span> {role}
        </span>
      </span>
    ),
  },
  { id: "state", label: "State", cell: (peer) => <State of={conditionOf(peer)} /> },
  {
    id: "score",
    label: "Score",
    cell: (peer) => (
      <span class="metered" title={`confidence ${score(peer.confidence)}`}>
        <span class="figure">{score(peer.score)}</span>
        <Meter share={peer.score} />
      </span>
    ),
  },
  {
    id: "ping",
    label: "Round trip",
    isFigure: true,
    cell: ({ ping_ms: ping }) => duration(ping),
  },
  {
    id: "load",
    label: "Tasks",
    isFigure: true,
    cell: ({ tasks, slots }) => (slots === 0 ? "–" : `${count(tasks)} of ${count(slots)}`),
  },
  {
    id: "outcomes",
    label: "Done, failed",
    isFigure: true,
    cell: ({ successes, failures }) => (
      <>
        {count(successes)},{" "}
        <span class={failures > 0 ? "tone-bad text" : ""}>{count(failures)}</span>
      </>
    ),
  },
  {
    id: "kinds",
    label: "Kinds",
    cell: ({ kinds }) => (
      <span class="clipped" title={kinds.map(line).join(", ")}>
        {kinds.includes("*") ? "every kind" : kinds.map(line).join(", ") || "–"}
      </span>
    ),
  },
  {
    id: "seen",
    label: "Last seen",
    isFigure: true,
    cell: ({ connected, last_seen: seen }) => (connected ? "connected" : <Ago at={seen} />),
  },
];
