import { useMemo } from "preact/hooks";
import type { ScoreView } from "../../../../src/protocol/http.ts";
import { count, duration, line, number, percent } from "../../model/format.ts";
import { Chart } from "../../ui/chart.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Head } from "../../ui/head.tsx";
import { Parts } from "../../ui/meter.tsx";
import { Panel } from "../../ui/page.tsx";

export interface Sample {
  /** In seconds since the epoch. */
  readonly at: number;
  readonly ping: number | null;
  readonly score: number;
}

const OUTCOMES = [
  ["successes", "succeeded", "ok"],
  ["failures", "failed", "bad"],
  ["timeouts", "timed out", "warn"],
  ["refusals", "refused", "idle"],
] as const;

const PING = [{ label: "Round trip in ms", color: "accent", kind: "line" }] as const;

/** What was measured of a peer: round trips, outcomes of attempts, and how long tasks take. */
export const PeerMeasures = ({
  score,
  samples,
}: {
  readonly score: ScoreView;
  readonly samples: readonly Sample[];
}) => {
  const { rtt, outcomes, service_times: times } = score;
  const data = useMemo(
    (): [number[], (number | null)[]] => [
      samples.map(({ at }) => at),
      samples.map(({ ping }) => ping),
    ],
    [samples],
  );
  return (
    <div class="columns three">
      <Panel
        title="Round trip, in ms"
        aside={<span class="quiet">since you opened this page</span>}
      >
        <Chart
          label={`Round trip since the page was opened; now ${duration(rtt?.smoothed_ms ?? null)}`}
          series={PING}
          data={data}
        />
        {rtt !== null && (
          <p class="quiet figure">
            smoothed {duration(rtt.smoothed_ms)}, least {duration(rtt.min_ms)}, varies by{" "}
            {duration(rtt.variance_ms)}; {count(rtt.samples)}{" "}
            {rtt.samples === 1 ? "sample" : "samples"}
          </p>
        )}
      </Panel>
      <Panel
        title="Outcomes of attempts"
        aside={<span class="quiet">each counts half after an hour</span>}
      >
        <Parts
          parts={OUTCOMES.map(([key, name, tone]) => ({ name, value: outcomes[key], tone })).filter(
            ({ value }) => value > 0,
          )}
        />
        <Facts
          facts={[
            ...OUTCOMES.map(
              ([key, name, tone]) =>
                [
                  <span key={key} class={`state tone-${tone}`}>
                    {name}
                  </span>,
                  <span key={`${key}-value`} class="figure">
                    {number(outcomes[key])}
                  </span>,
                ] as const,
            ),
            ["Expected to fail", percent(score.failure_risk)],
            ["Connected", score.uptime === null ? null : `${percent(score.uptime)} of the time`],
          ]}
        />
      </Panel>
      <Panel title="How long tasks take">
        {times.length === 0 ? (
          <p class="quiet">It has not finished a task yet.</p>
        ) : (
          <table class="plain">
            <Head texts={["Kind"]} figures={["Mean", "Samples"]} />
            <tbody>
              {times.map(({ kind, mean_ms: mean, samples: of }) => (
                <tr key={kind}>
                  <th scope="row">{line(kind)}</th>
                  <td class="figure">{duration(mean)}</td>
                  <td class="figure">{number(of)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
    </div>
  );
};
