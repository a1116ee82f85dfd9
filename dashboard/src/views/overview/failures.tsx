import { useLive } from "../../live/use-live.ts";
import { count, line } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { Loading, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";

const SHOWN_MAX = 6;

/** Why tasks failed: the most frequent reasons. */
export const Failures = () => {
  const { mesh } = useData();
  const { value, error } = useLive(mesh.failures);
  return (
    <Panel title="Why tasks failed">
      {value === null && <Loading error={error} />}
      {value?.groups.length === 0 && <p class="quiet">No task has failed.</p>}
      {value !== null && value.groups.length > 0 && (
        <ul class="reasons">
          {value.groups
            .slice(0, SHOWN_MAX)
            .map(({ kind, state, reason, count: times, last_at: at }) => (
              <li key={`${kind} ${state} ${reason}`}>
                <span class="times figure">{count(times)}</span>
                <span class="reason">{line(reason)}</span>
                <span class="where">
                  <a href={hashOf(["tasks"], { kind, state })}>{line(kind)}</a>, <Ago at={at} />
                </span>
              </li>
            ))}
        </ul>
      )}
    </Panel>
  );
};
