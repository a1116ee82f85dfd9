import type { ComponentChildren } from "preact";
import type { PeerView, TaskStats } from "../../../../src/protocol/http.ts";
import { count, counted, duration, number, percent } from "../../model/format.ts";
import { peersByCondition } from "../../model/peer-table.ts";
import type { TaskFigures } from "../../model/throughput.ts";
import { Meter, Parts } from "../../ui/meter.tsx";
import { toneOf } from "../../ui/state.tsx";

interface FiguresProps {
  readonly peers: readonly PeerView[];
  readonly stats: TaskStats;
  readonly figures: TaskFigures;
}

export const Figures = ({ peers, stats, figures }: FiguresProps) => {
  const connected = peers.filter((peer) => peer.connected);
  const slots = connected.reduce((sum, peer) => sum + peer.slots, 0);
  const { waiting, running, oldest_wait_seconds: oldest } = stats;
  const { perMinute, ended, failed, p50, p99, spanMs } = figures;
  const span = `last ${duration(spanMs)}`;
  return (
    <dl class="figures">
      <Figure title="Peers connected" value={count(connected.length)}>
        <PeersByCondition peers={peers} />
      </Figure>
      <Figure title="Tasks running" value={count(running)}>
        <Meter share={slots === 0 ? 0 : running / slots} />
        <span>of {counted(slots, "slot")}</span>
      </Figure>
      <Figure title="Tasks waiting" value={count(waiting)}>
        <span>{oldest === null ? "nothing waits" : `oldest ${duration(oldest * 1_000)}`}</span>
      </Figure>
      <Figure title="Tasks per minute" value={number(perMinute)}>
        <span>
          {counted(ended, "task")}, {span}
        </span>
      </Figure>
      <Figure title="Failed" value={ended === 0 ? "–" : percent(failed / ended)}>
        <span>
          {count(failed)} of {count(ended)}, {span}
        </span>
      </Figure>
      <Figure title="Time to finish" value={duration(p50)}>
        <span>median</span>
        <span>99 % within {duration(p99)}</span>
      </Figure>
    </dl>
  );
};

interface FigureProps {
  readonly title: string;
  readonly value: string;
  readonly children: ComponentChildren;
}

const Figure = ({ title, value, children }: FigureProps) => (
  <div class="figure-tile">
    <dt>{title}</dt>
    <dd class="big">{value}</dd>
    <dd class="more">{children}</dd>
  </div>
);

const PeersByCondition = ({ peers }: { readonly peers: readonly PeerView[] }) => {
  const conditions = [...peersByCondition(peers)];
  return (
    <>
      <Parts parts={conditions.map(([name, value]) => ({ name, value, tone: toneOf(name) }))} />
      <span>
        {conditions.map(([name, value], at) => (
          <>
            {at > 0 && ", "}
            <a href={`#/peers?state=${name}`}>
              {count(value)} {name}
            </a>
          </>
        ))}
      </span>
    </>
  );
};
