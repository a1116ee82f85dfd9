import { mayRead } from "../../api/session.ts";
import { clock } from "../../live/clock.ts";
import { useLive } from "../../live/use-live.ts";
import { counted } from "../../model/format.ts";
import { findingsOf } from "../../model/findings.ts";
import { figuresOf } from "../../model/throughput.ts";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";
import { FirstMinute } from "../first-minute.tsx";
import { Cells } from "./cells.tsx";
import { Costs } from "./costs.tsx";
import { Failures } from "./failures.tsx";
import { Figures } from "./figures.tsx";
import { Findings } from "./findings.tsx";
import { Kinds } from "./kinds.tsx";
import { Storage } from "./storage.tsx";
import { Throughput } from "./throughput.tsx";

/** The figures of tasks are about this long. */
const WINDOW_MS = 5 * 60_000;

/** Whether everything is well, and what the mesh does. */
export const Overview = () => {
  const { mesh, session } = useData();
  const peers = useLive(mesh.peers);
  const stats = useLive(mesh.stats);
  const recent = useLive(mesh.recent);
  const readiness = useLive(mesh.readiness);
  const storage = useLive(mesh.storage);
  const alerts = useLive(mesh.alerts);
  if (peers.value === null || stats.value === null || recent.value === null)
    return (
      <Page title="Overview">
        <Loading error={peers.error ?? stats.error ?? recent.error} />
      </Page>
    );

  const now = clock.value;
  const known = [...peers.value.values()];
  const { tasks, knownSince } = recent.value;
  const figures = figuresOf(tasks, now, WINDOW_MS, knownSince);
  const asked = [peers, stats, recent, readiness, alerts];
  const findings = findingsOf({
    unread: asked.find(({ error }) => error !== null)?.error ?? null,
    peers: known,
    stats: stats.value,
    figures,
    storage: storage.value,
    alerts: alerts.value?.alerts ?? null,
    notReady: readiness.value?.shortage ?? null,
  });
  const isKnown = readiness.value !== null && (mesh.alerts === null || alerts.value !== null);
  const connected = known.filter((peer) => peer.connected).length;
  if (tasks.length === 0 && !known.some(({ successes, failures }) => successes + failures > 0))
    return (
      <Page
        title="Overview"
        about={
          mayRead(session.caller) ? "This mesh has done no task yet" : "No task of yours is here"
        }
      >
        {findings.length > 0 && <Findings findings={findings} isKnown={isKnown} />}
        <Panel title="The first minute">
          <FirstMinute peers={known} />
        </Panel>
        <Cells />
      </Page>
    );
  return (
    <Page
      title="Overview"
      about={`${counted(connected, "peer")} connected, ${counted(stats.value.running, "task")} running`}
    >
      <Findings findings={findings} isKnown={isKnown} />
      <Figures peers={known} stats={stats.value} figures={figures} />
      <Throughput tasks={tasks} knownSince={knownSince} />
      <div class="columns">
        <Kinds stats={stats.value} />
        <Failures />
      </div>
      <Cells />
      {storage.value !== null && <Storage storage={storage.value} />}
      <Costs />
    </Page>
  );
};
