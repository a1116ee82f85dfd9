import type { TaskView } from "../../../../src/protocol/http.ts";
import { clock } from "../../live/clock.ts";
import { duration, line, score } from "../../model/format.ts";
import { timelineOf } from "../../model/timeline.ts";
import { Panel } from "../../ui/page.tsx";
import { State, toneOf } from "../../ui/state.tsx";
import { Since } from "../../ui/time.tsx";
import { PeerLink } from "../peers/columns.tsx";

/** The attempts of a task, as bars on the time from its submission to its end. What is empty is waiting. */
export const Attempts = ({ task }: { readonly task: TaskView }) => {
  const now = clock.value;
  const spans = timelineOf(task, task.attempts, now);
  const end = task.ended_at === null ? now : Date.parse(task.ended_at);
  return (
    <Panel
      title="Attempts"
      aside={
        <span class="quiet figure">
          {task.attempts_used} of {task.max_attempts} failed
          {task.interruptions > 0 && `, ${task.interruptions} interrupted`}
        </span>
      }
    >
      {spans.length === 0 ? (
        <p class="quiet">No peer has had it yet.</p>
      ) : (
        <ol class="attempts">
          {spans.map(({ attempt, from, to }) => (
            <li key={attempt.attempt}>
              <span class="attempt-peer">
                <span class="quiet figure">{attempt.attempt}</span>
                <PeerLink id={attempt.peer_id} name={attempt.peer_name} />
              </span>
              <State of={attempt.state} />
              <span class="track" aria-hidden="true">
                <span
                  class={`span tone-${toneOf(attempt.state)}`}
                  style={{ left: `${100 * from}%`, width: `${100 * (to - from)}%` }}
                />
              </span>
              <Since from={attempt.started_at} to={attempt.ended_at ?? task.ended_at} />
              <span class="quiet figure">score {score(attempt.score)}</span>
              {attempt.error !== null && <span class="attempt-error">{line(attempt.error)}</span>}
            </li>
          ))}
        </ol>
      )}
      {spans.length > 0 && (
        <p class="axis quiet figure" aria-hidden="true">
          <span>submitted</span>
          <span>{duration(end - Date.parse(task.created_at))}</span>
        </p>
      )}
    </Panel>
  );
};
