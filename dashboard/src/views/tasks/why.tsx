import { useState } from "preact/hooks";
import type { TaskView, WhyView } from "../../../../src/protocol/http.ts";
import { useLive } from "../../live/use-live.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { useQuery } from "../../live/use-query.ts";
import {
  CHOICES,
  COST_PARTS,
  HELD_BACK,
  RULED_OUT,
  cellsText,
  highestCost,
  segmentsOf,
  type Contender,
} from "../../model/cost.ts";
import { counted, duration, line, score } from "../../model/format.ts";
import { Select } from "../../ui/field.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";
import { PeerLink } from "../peers/columns.tsx";

const PAUSE_MS = 5_000;

/** Why the task went to its peer, or why it still waits: the expected cost of each peer by its parts, and who was ruled out. */
export const Why = ({ task }: { readonly task: TaskView }) => {
  const [attempt, setAttempt] = useState("");
  const known = task.attempts.map((each) => String(each.attempt));
  // The choice changes with the state and with each attempt.
  const query = { attempt: attempt === "" ? undefined : Number(attempt) };
  const { value, error } = useQuery<WhyView>(
    `/v1/tasks/${encodeURIComponent(task.id)}/why`,
    query,
    PAUSE_MS,
    { isAbout: (event) => isOfTask(event, task.id) },
  );
  return (
    <Panel
      title={value?.chosen === null ? "Why it waits" : "Why this peer"}
      aside={
        known.length > 1 && (
          <Select
            label="Attempt"
            value={attempt}
            options={[
              ["", "Newest attempt"],
              ...known.map((each) => [each, `Attempt ${each}`] as const),
            ]}
            onChange={setAttempt}
          />
        )
      }
    >
      {value === null ? <Loading error={error} /> : <Choice why={value} />}
    </Panel>
  );
};

const Choice = ({ why }: { readonly why: WhyView }) => {
  const { contenders, by, chosen, waits_because: waits, eligible } = why;
  const highest = highestCost(contenders);
  return (
    <>
      {waits !== null && <p>{line(waits)}</p>}
      {chosen !== null && by !== null && (
        <p>
          {CHOICES[by]} {counted(eligible, "peer")} could have had the task.
        </p>
      )}
      {why.cells !== undefined && <p class="quiet">{cellsText(why.cells)}</p>}
      {contenders.length > 0 && (
        <>
          <ul class="legend wrap" aria-label="Parts of the expected cost">
            {COST_PARTS.map(({ key, name, color }) => (
              <li key={key} class={`state fill-${color}`}>
                {name}
              </li>
            ))}
          </ul>
          <ol class="contenders">
            {contenders.map((contender) => (
              <CostBar key={contender.peer_id} contender={contender} highest={highest} />
            ))}
          </ol>
        </>
      )}
      <RuledOut why={why} />
    </>
  );
};

interface CostBarProps {
  readonly contender: Contender;
  readonly highest: number;
}

const CostBar = ({ contender, highest }: CostBarProps) => {
  const { peer_id: id, chosen, cost, held_back_by: held, inputs, worth } = contender;
  const name = useLive(useData().mesh.peers).value?.get(id)?.name ?? "";
  const segments = cost === null ? [] : segmentsOf(cost, highest);
  return (
    <li class={chosen ? "chosen" : ""}>
      <span class="contender-peer">
        <PeerLink id={id} name={name} />
        {chosen && <span class="tag accent">chosen</span>}
      </span>
      <span class="cost-bar" aria-hidden="true">
        {segments.map((segment) => (
          <span
            key={segment.name}
            class={`fill-${segment.color}`}
            style={{ width: `${100 * segment.share}%` }}
            title={`${segment.name}: ${duration(segment.ms)}`}
          />
        ))}
      </span>
      <span class="figure">
        {cost === null ? `worth ${score(worth)}` : duration(cost.total_ms)}
      </span>
      <span class="cost-parts quiet figure">
        {segments.map((segment) => `${segment.name} ${duration(segment.ms)}`).join(", ")}
        {segments.length > 0 && "; "}
        score {score(inputs.score)}
        {held.length > 0 && `; ${held.map((reason) => HELD_BACK[reason] ?? reason).join(", ")}`}
      </span>
    </li>
  );
};

/** How many connected peers each rule excluded, and some of them. */
const RuledOut = ({ why }: { readonly why: WhyView }) => {
  const rules = Object.entries(why.ruled_out).filter(([, peers]) => peers > 0);
  const peers = useLive(useData().mesh.peers).value;
  if (rules.length === 0) return null;
  return (
    <div class="ruled-out">
      <h3>Ruled out</h3>
      <ul>
        {rules.map(([rule, excluded]) => (
          <li key={rule}>
            <span class="figure">{counted(excluded, "peer")}</span>{" "}
            {RULED_OUT[rule] ?? line(rule.replaceAll("_", " "))}
            <span class="quiet">
              {": "}
              {why.excluded
                .filter((each) => each.rule === rule)
                .map(({ peer_id: id }, at) => (
                  <span key={id}>
                    {at > 0 && ", "}
                    <PeerLink id={id} name={peers?.get(id)?.name ?? ""} />
                  </span>
                ))}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
};
