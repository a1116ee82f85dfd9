import { useMemo } from "preact/hooks";
import type { WebhookSourceView } from "../../../../src/protocol/http.ts";
import { mayAdminister } from "../../api/session.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { LiveValue } from "../../live/live-value.ts";
import { goTo, place } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { counted, line } from "../../model/format.ts";
import { memberText } from "../../model/json-value.ts";
import { schemeName } from "../../model/webhook-form.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { CopiedText } from "../../ui/copied-text.tsx";
import { Facts } from "../../ui/facts.tsx";
import { JsonText } from "../../ui/json-text.tsx";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { Deliveries } from "./deliveries.tsx";
import { deliveryUrl } from "./made-source.tsx";
import { Refused } from "./refused.tsx";
import { sourcePath } from "./source-list.ts";
import { TryOut } from "./try-out.tsx";

const PAUSE_MS = 5_000;

interface ShownSource {
  readonly source: WebhookSourceView;
  /** As they came: `JSON.parse` would round large numbers. */
  readonly payload: string;
  readonly filters: string;
}

/** One source: what arrives, what was refused and why. */
export const Source = () => {
  const name = place.value.path[1] ?? "";
  const { session, mesh } = useData();
  const { api } = session;
  const isAdmin = mayAdminister(session.caller);
  const live = useMemo(
    () =>
      new LiveValue<ShownSource>(
        async (signal) => {
          const answer = await api.text("GET", sourcePath(name), { signal });
          return {
            source: JSON.parse(answer) as WebhookSourceView,
            payload: memberText(memberText(answer, "task") ?? "", "payload") ?? "null",
            filters: memberText(answer, "filters") ?? "[]",
          };
        },
        PAUSE_MS,
        { feed: mesh.events, isAbout: (event) => isOfTask(event, `"webhook:${name}"`) },
      ),
    [api, mesh, name],
  );
  const { value, error } = useLive(live);
  if (value === null)
    return (
      <Page title="Webhook source">
        <Loading error={error} />
      </Page>
    );
  const { source } = value;
  return (
    <Page
      title={line(name)}
      about={
        <span class="facts-line">
          <span>{schemeName(source.scheme)}</span>
          <span>{counted(source.deliveries, "delivery", "deliveries")} became tasks</span>
          <span>
            created <Ago at={source.created_at} />
          </span>
        </span>
      }
      actions={isAdmin ? <RemoveSource name={name} /> : undefined}
    >
      {error !== null && <p class="error">{error}</p>}
      <Deliveries name={name} />
      <Refused name={name} />
      {isAdmin && <TryOut source={source} />}
      <Rules shown={value} />
    </Page>
  );
};

/** How the source makes tasks of events. */
const Rules = ({ shown: { source, payload, filters } }: { readonly shown: ShownSource }) => {
  const { mesh } = useData().session;
  const { name, task, signature, secrets } = source;
  return (
    <Panel title="Rules">
      <Facts
        facts={[
          ["URL", <CopiedText text={deliveryUrl(mesh, name)} label="the URL" />],
          ["Kind", <span class="mono">{line(task.kind)}</span>],
          ["Secrets", String(secrets)],
          ["Signature in", signature === null ? null : line(signature.header)],
        ]}
      />
      <h3>Payload</h3>
      <JsonText label="Payload of the tasks" json={payload} />
      {source.filters.length > 0 && (
        <>
          <h3>Filters</h3>
          <JsonText label="Filters" json={filters} />
        </>
      )}
    </Panel>
  );
};

const RemoveSource = ({ name }: { readonly name: string }) => {
  const { api } = useData().session;
  const [dialog, confirm] = useConfirm();
  const remove = () =>
    confirm({
      title: `Remove the source ${line(name)}?`,
      body: (
        <p>
          Its later deliveries are refused, its tasks that have not ended are cancelled, and its
          lists of deliveries are deleted. <code>muster webhook delete NAME --keep-tasks</code>{" "}
          leaves the tasks.
        </p>
      ),
      action: "Remove the source",
      danger: true,
      run: async () => {
        await api.send("DELETE", sourcePath(name));
        goTo(["webhooks"]);
        return `The source ${line(name)} is removed.`;
      },
    });
  return (
    <>
      <Button kind="danger" onClick={remove}>
        Remove
      </Button>
      {dialog}
    </>
  );
};
