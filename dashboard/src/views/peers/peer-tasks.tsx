import type { TaskPage } from "../../api/answers.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { useQuery } from "../../live/use-query.ts";
import { line, shortId } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { Ago, Since } from "../../ui/time.tsx";

const SHOWN = 10;
const PAUSE_MS = 2_000;

/** The newest tasks that the peer has or ended. */
export const PeerTasks = ({ id }: { readonly id: string }) => {
  const query = { peer_id: id, limit: SHOWN };
  const { value, error } = useQuery<TaskPage>("/v1/tasks", query, PAUSE_MS, {
    isAbout: (event) => isOfTask(event, id),
  });
  return (
    <Panel title="Newest tasks" aside={<a href={hashOf(["tasks"], { peer: id })}>All its tasks</a>}>
      {value === null && <Loading error={error} />}
      {value?.tasks.length === 0 && <p class="quiet">It has not had a task.</p>}
      {value !== null && value.tasks.length > 0 && (
        <table class="plain">
          <Head texts={["Task", "State"]} figures={["Time", "Submitted"]} />
          <tbody>
            {value.tasks.map((task) => (
              <tr key={task.id}>
                <th scope="row">
                  <a href={hashOf(["tasks", task.id])}>{line(task.kind)}</a>{" "}
                  <span class="quiet mono">{shortId(task.id)}</span>
                </th>
                <td>
                  <State of={task.state} />
                </td>
                <td class="figure">
                  <Since from={task.created_at} to={task.ended_at} />
                </td>
                <td class="figure">
                  <Ago at={task.created_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
};
