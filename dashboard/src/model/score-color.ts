/** Colors for scores, as the style sheet has them: `#rrggbb`. */
interface ScoreColors {
  readonly low: string;
  readonly medium: string;
  readonly high: string;
}

/** The color of a score from 0 to 1. */
export function scoreColor(score: number, { low, medium, high }: ScoreColors): string {
  const at = Math.max(0, Math.min(1, score)) * 2;
  return at < 1 ? mixed(low, medium, at) : mixed(medium, high, at - 1);
}

function mixed(from: string, to: string, share: number): string {
  const [a, b] = [channels(from), channels(to)];
  const mix = a.map((value, at) => Math.round(value + share * ((b[at] as number) - value)));
  return `rgb(${mix.join(" ")})`;
}

const channels = (color: string): readonly number[] =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
