import type { ScoreView } from "../../../../src/protocol/http.ts";
import { duration, line, number, percent, score as scoreText } from "../../model/format.ts";
import { Meter } from "../../ui/meter.tsx";
import { Panel } from "../../ui/page.tsx";

const NAMES = [
  ["latency", "Latency"],
  ["reliability", "Reliability"],
  ["hops", "Hops"],
  ["distance", "Distance"],
] as const;

type Factor = ScoreView["factors"]["latency"];

/** What the score is made of: each factor as it was measured, on the scale from 0 to 1, its weight, and how much of it is known. */
export const ScoreFactors = ({ score }: { readonly score: ScoreView }) => (
  <Panel
    title="Score"
    aside={<span class="quiet figure">confidence {percent(score.confidence)}</span>}
  >
    <p class="big-score figure">{scoreText(score.score)}</p>
    <ul class="factors">
      {NAMES.map(([key, name]) => (
        <FactorBars key={key} name={name} factor={score.factors[key]} />
      ))}
    </ul>
  </Panel>
);

const FactorBars = ({ name, factor }: { readonly name: string; readonly factor: Factor }) => {
  const { normalised, weight, part, known, age_seconds: age, source } = factor;
  return (
    <li>
      <div class="factor-head">
        <strong>{name}</strong>
        <span class="figure">{measured(factor)}</span>
      </div>
      <div class="factor-bar">
        <Meter share={normalised} />
        <span class="figure">{scoreText(normalised)}</span>
      </div>
      <p class="quiet figure">
        × weight {percent(weight)} = {part.toFixed(3)}
        {"; "}
        {percent(known)} known
        {age !== null && `, ${duration(age * 1_000)} old`}
      </p>
      <p class="quiet">{line(source)}</p>
    </li>
  );
};

function measured({ raw, unit }: Factor): string {
  if (raw === null) return "not measured";
  switch (unit) {
    case "ms":
      return duration(raw);
    case "share":
      return percent(raw);
    case "hops":
      return `${number(raw)} ${raw === 1 ? "hop" : "hops"}`;
    case "km":
      return `${number(raw)} km`;
    default:
      return unit satisfies never;
  }
}
