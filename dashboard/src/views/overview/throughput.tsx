import { useMemo } from "preact/hooks";
import type { TaskSummary } from "../../../../src/protocol/http.ts";
import { clock } from "../../live/clock.ts";
import { counted, duration } from "../../model/format.ts";
import { INTERVAL_MS, intervalsOf } from "../../model/throughput.ts";
import { Chart } from "../../ui/chart.tsx";
import { Panel } from "../../ui/page.tsx";

const SERIES = [
  { label: "Failed", color: "bad", kind: "bars" },
  { label: "Succeeded", color: "ok", kind: "bars" },
] as const;

interface ThroughputProps {
  readonly tasks: readonly TaskSummary[];
  /** When the oldest of them was submitted; null if they are all that the mesh has. */
  readonly knownSince: number | null;
}

/** Tasks that ended in the last half hour at most: failed ones on top of those that succeeded. */
export const Throughput = ({ tasks, knownSince }: ThroughputProps) => {
  // The chart moves by whole intervals.
  const interval = Math.floor(clock.value / INTERVAL_MS);
  const intervals = useMemo(
    () => intervalsOf(tasks, interval * INTERVAL_MS, knownSince),
    [tasks, interval, knownSince],
  );
  const data = useMemo(
    (): [number[], number[], number[]] => [
      intervals.map(({ at }) => at / 1_000),
      intervals.map(({ succeeded, failed }) => succeeded + failed),
      intervals.map(({ succeeded }) => succeeded),
    ],
    [intervals],
  );
  const succeeded = intervals.reduce((sum, each) => sum + each.succeeded, 0);
  const failed = intervals.reduce((sum, each) => sum + each.failed, 0);
  const label = `Tasks that ended in the last ${duration(intervals.length * INTERVAL_MS)}: ${counted(succeeded, "task")} succeeded, ${failed} failed`;
  return (
    <Panel
      title={`Tasks ended, per ${duration(INTERVAL_MS)}`}
      aside={
        <p class="legend">
          <span class="state tone-ok">succeeded {succeeded}</span>
          <span class="state tone-bad">failed {failed}</span>
        </p>
      }
    >
      <Chart label={label} series={SERIES} data={data} />
    </Panel>
  );
};
