import { useEffect, useRef, useState } from "preact/hooks";
import type { PeerView, ScoreView } from "../../../../src/protocol/http.ts";
import { mayAdminister } from "../../api/session.ts";
import { place } from "../../live/place.ts";
import { useQuery } from "../../live/use-query.ts";
import { line, shortId } from "../../model/format.ts";
import { conditionOf } from "../../model/peer-table.ts";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { AuditEntries } from "../access/audit-entries.tsx";
import { useData } from "../data.ts";
import { PeerActions } from "./peer-actions.tsx";
import { PeerFacts } from "./peer-facts.tsx";
import { PeerMeasures, type Sample } from "./peer-measures.tsx";
import { PeerTasks } from "./peer-tasks.tsx";
import { ScoreFactors } from "./score-factors.tsx";

const PAUSE_MS = 2_000;

/** One peer: what it is, what it is worth and why, what it does, and what can be done about it. */
export const Peer = () => {
  const id = place.value.path[1] ?? "";
  const { session } = useData();
  const peer = useQuery<PeerView>(`/v1/peers/${encodeURIComponent(id)}`, {}, PAUSE_MS, {
    isAbout: ({ text }) => text.includes(id),
    // No event tells of a round trip.
    isMeasured: true,
  });
  const score = useQuery<ScoreView>(`/v1/peers/${encodeURIComponent(id)}/score`, {}, PAUSE_MS);
  const samples = useSamples(peer.value);
  if (peer.value === null)
    return (
      <Page title="Peer">
        <Loading error={peer.error} />
      </Page>
    );

  const { name, role } = peer.value;
  const isAdmin = mayAdminister(session.caller);
  const refresh = (): void => {
    peer.refresh();
    score.refresh();
  };
  return (
    <Page
      title={name === "" ? `Peer ${shortId(id)}` : line(name)}
      about={
        <span class="facts-line">
          <State of={conditionOf(peer.value)} />
          <span>{role}</span>
          <span class="mono">{id}</span>
        </span>
      }
      actions={isAdmin ? <PeerActions peer={peer.value} onDone={refresh} /> : undefined}
    >
      {peer.error !== null && <p class="error">{peer.error}</p>}
      <Circuits peer={peer.value} />
      <div class="columns">
        {score.value === null ? (
          <Panel title="Score">
            <Loading error={score.error} />
          </Panel>
        ) : (
          <ScoreFactors score={score.value} />
        )}
        <PeerFacts peer={peer.value} />
      </div>
      {score.value !== null && <PeerMeasures score={score.value} samples={samples} />}
      <PeerTasks id={id} />
      {isAdmin && (
        <Panel title="Audit">
          <AuditEntries subject={id} />
        </Panel>
      )}
    </Page>
  );
};

const Circuits = ({ peer }: { readonly peer: PeerView }) => (
  <>
    {(peer.circuits ?? []).map(({ kind, state, reason, rests_until: until }) => (
      <p key={kind} class="verdict tone-warn small">
        {kind === null ? "The peer" : `Tasks of kind ${line(kind)}`}{" "}
        {state === "open" ? "rests" : "is tried with one task at a time"}: {line(reason)}
        {state === "open" && ` (until ${new Date(until).toLocaleTimeString()})`}
      </p>
    ))}
  </>
);

/** About ten minutes. */
const SAMPLES_MAX = 300;

/** Round trips and scores since the page was opened. */
function useSamples(peer: PeerView | null): readonly Sample[] {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const last = useRef<PeerView | null>(null);
  useEffect(() => {
    if (peer === null || peer === last.current) return;
    last.current = peer;
    const { ping_ms: ping, score } = peer;
    setSamples((before) => [
      ...before.slice(1 - SAMPLES_MAX),
      { at: Date.now() / 1_000, ping, score },
    ]);
  }, [peer]);
  return samples;
}
