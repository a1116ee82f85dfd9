import type { DeliveryView, KeptDelivery } from "../../../../src/protocol/http.ts";
import type { DeliveryPage } from "../../api/answers.ts";
import { mayAdminister } from "../../api/session.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { useQuery } from "../../live/use-query.ts";
import { bytes, line, shortId } from "../../model/format.ts";
import { randomHex } from "../../model/random-hex.ts";
import { hashOf } from "../../model/route.ts";
import { outcomeText } from "../../model/webhook-log.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { sourcePath } from "./source-list.ts";

const PAUSE_MS = 2_000;
/** All that the mesh keeps of a source. */
const LIMIT = 100;

/** The deliveries whose signature was valid, each with its outcome. */
export const Deliveries = ({ name }: { readonly name: string }) => {
  const { caller } = useData().session;
  const path = `${sourcePath(name)}/deliveries`;
  const { value, error, refresh } = useQuery<DeliveryPage>(path, { limit: LIMIT }, PAUSE_MS, {
    isAbout: (event) => isOfTask(event, `"webhook:${name}"`),
    // No event tells of a delivery that made no task.
    isMeasured: true,
  });
  const isAdmin = mayAdminister(caller);
  return (
    <Panel title="Deliveries">
      {value === null && <Loading error={error} />}
      {value !== null && error !== null && <p class="error">{error}</p>}
      {value?.deliveries.length === 0 && (
        <p class="quiet">No delivery with a valid signature has arrived in the last 7 days.</p>
      )}
      {value !== null && value.deliveries.length > 0 && (
        <table class="plain">
          <Head
            texts={["When", "Outcome", "Task", "Detail"]}
            figures={["Size"]}
            hasActions={isAdmin}
          />
          <tbody>
            {value.deliveries.map((delivery) => (
              <tr key={delivery.id}>
                <td>
                  <Ago at={delivery.received_at} />
                </td>
                <td>
                  <State of={outcomeText(delivery.outcome)} />
                </td>
                <td>{delivery.task_id === null ? "–" : <TaskLink id={delivery.task_id} />}</td>
                <td>
                  {delivery.replay_of !== null && <span class="quiet">replayed </span>}
                  {delivery.detail !== null && line(delivery.detail)}
                </td>
                <td class="figure">{bytes(delivery.bytes)}</td>
                {isAdmin && (
                  <td class="figure">
                    {delivery.replayable && (
                      <Replay name={name} delivery={delivery} onDone={refresh} />
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
};

export const TaskLink = ({ id }: { readonly id: string }) => (
  <a class="mono" href={hashOf(["tasks", id])} title={id}>
    {shortId(id)}
  </a>
);

interface ReplayProps {
  readonly name: string;
  readonly delivery: KeptDelivery;
  readonly onDone: () => void;
}

const Replay = ({ name, delivery: { id, task_id: taskId }, onDone }: ReplayProps) => {
  const { api } = useData().session;
  const [dialog, confirm] = useConfirm();
  const isSecond = taskId !== null;
  const replay = () => {
    const idempotencyKey = randomHex(16);
    const path = `${sourcePath(name)}/deliveries/${encodeURIComponent(id)}/replay`;
    confirm({
      title: "Replay this delivery?",
      body: (
        <p>
          It is processed again, with the present filters and mapping of the source.
          {isSecond && " It has become a task already, and becomes another one."}
        </p>
      ),
      action: "Replay",
      run: async () => {
        const query = isSecond ? { new_task: "true" } : {};
        const view: DeliveryView = await api.send("POST", path, { query, idempotencyKey });
        onDone();
        return view.task_id === null
          ? `The delivery made no task: ${line(view.filtered ?? "a filter excluded it")}.`
          : `The delivery is task ${shortId(view.task_id)}.`;
      },
    });
  };
  return (
    <>
      <Button onClick={replay}>Replay</Button>
      {dialog}
    </>
  );
};
