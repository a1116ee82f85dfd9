import type { TaskView } from "../../../../src/protocol/http.ts";
import { count, duration, line } from "../../model/format.ts";
import { Facts, Tags } from "../../ui/facts.tsx";
import { Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { PeerLink } from "../peers/columns.tsx";

/** How the task was submitted. */
export const TaskFacts = ({ task }: { readonly task: TaskView }) => {
  const { capabilities, peer_id: peer, role, min_score: least, avoid = [] } = task.requirements;
  return (
    <Panel title="Settings">
      <Facts
        facts={[
          ["Source", line(task.source)],
          [
            "Owner",
            task.owner === null ? null : (
              <span key="owner" class="mono">
                {line(task.owner)}
              </span>
            ),
          ],
          ["Priority", count(task.priority)],
          ["Deadline", <Ago key="deadline" at={task.deadline_at} />],
          ["Lease", duration(task.lease_seconds * 1_000)],
          ["Attempt timeout", duration(task.attempt_timeout_seconds * 1_000)],
          ["Retries", task.retries === 0 ? null : count(task.retries)],
          [
            "Labels",
            capabilities.length === 0 ? null : <Tags key="labels" of={capabilities.map(line)} />,
          ],
          ["Only peer", peer === undefined ? null : <PeerLink key="peer" id={peer} name="" />],
          ["Not peers", avoid.length === 0 ? null : count(avoid.length)],
          ["Role", role ?? null],
          ["Least score", least === undefined ? null : String(least)],
          [
            "Concurrency",
            task.concurrency === null
              ? null
              : `${count(task.concurrency.limit)} at once with the key ${line(task.concurrency.key)}`,
          ],
        ]}
      />
    </Panel>
  );
};
