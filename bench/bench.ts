/** One benchmark: its figures, and whether it holds its bar. Ratios against a baseline of the same run, no absolutes. */
export interface Bench {
  readonly summary: string;
  run(log: (line: string) => void, scale: number): Promise<Figures>;
}

export interface Figures {
  readonly ok: boolean;
  readonly [figure: string]: unknown;
}

/** What the benchmark measures with is not there: nothing was measured, and nothing failed. */
export class Unavailable extends Error {}
