import { useMemo } from "preact/hooks";
import { mayAdminister } from "../../api/session.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { LiveValue } from "../../live/live-value.ts";
import { useLive } from "../../live/use-live.ts";
import { count, line } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { schemeName } from "../../model/webhook-form.ts";
import { Head } from "../../ui/head.tsx";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { NewSource } from "./new-source.tsx";
import { listedSources, type ListedSource } from "./source-list.ts";

const PAUSE_MS = 5_000;

/** The webhook sources: who may send events, and what they become. */
export const Webhooks = () => {
  const { session, mesh } = useData();
  const { api } = session;
  const live = useMemo(
    () =>
      new LiveValue((signal) => listedSources(api, signal), PAUSE_MS, {
        feed: mesh.events,
        isAbout: (event) => isOfTask(event, '"webhook:'),
        // No event tells of a delivery that was refused.
        isMeasured: true,
      }),
    [api, mesh],
  );
  const { value, error } = useLive(live);
  return (
    <Page title="Webhooks">
      {mayAdminister(session.caller) && <NewSource onDone={() => live.refresh()} />}
      <Panel title="Sources">
        {value === null && <Loading error={error} />}
        {value !== null && error !== null && <p class="error">{error}</p>}
        {value?.length === 0 && (
          <p class="quiet">
            No source exists. A source makes tasks of the events that it receives.
          </p>
        )}
        {value !== null && value.length > 0 && <Sources of={value} />}
      </Panel>
    </Page>
  );
};

const Sources = ({ of }: { readonly of: readonly ListedSource[] }) => (
  <table class="plain">
    <Head
      texts={["Source", "Sender signs as", "Kind of its tasks"]}
      figures={["Became tasks", "Last delivery", "Refused in 7 days"]}
    />
    <tbody>
      {of.map(({ source: { name, scheme, task, deliveries }, last, refused }) => (
        <tr key={name}>
          <th scope="row">
            <a href={hashOf(["webhooks", name])}>{line(name)}</a>
          </th>
          <td>{schemeName(scheme)}</td>
          <td class="mono">{line(task.kind)}</td>
          <td class="figure">{count(deliveries)}</td>
          <td class="figure">{last === null ? "–" : <Ago at={last.received_at} />}</td>
          <td class="figure">
            <span class={refused > 0 ? "text tone-bad" : ""}>{count(refused)}</span>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);
