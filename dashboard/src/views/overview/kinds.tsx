import type { TaskStats } from "../../../../src/protocol/http.ts";
import { count, duration, line } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { Head } from "../../ui/head.tsx";
import { Panel } from "../../ui/page.tsx";

/** The queue by kinds of task. */
export const Kinds = ({ stats }: { readonly stats: TaskStats }) => (
  <Panel title="Queue by kind">
    {stats.kinds.length === 0 ? (
      <p class="quiet">No task waits or runs.</p>
    ) : (
      <table class="plain">
        <Head texts={["Kind"]} figures={["Waiting", "Running", "Oldest wait"]} />
        <tbody>
          {stats.kinds.map(({ kind, waiting, running, oldest_wait_seconds: oldest }) => (
            <tr key={kind}>
              <th scope="row">
                <a href={hashOf(["tasks"], { kind })}>{line(kind)}</a>
              </th>
              <td class="figure">{count(waiting)}</td>
              <td class="figure">{count(running)}</td>
              <td class="figure">{oldest === null ? "–" : duration(oldest * 1_000)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Panel>
);
