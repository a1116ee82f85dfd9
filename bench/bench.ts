/** One benchmark. Its bar is a ratio to a baseline of the same run where possible, not an absolute time. */
export interface Bench {
  readonly summary: string;
  /** Whether the figures are written to results/; default: true. */
  readonly isKept?: boolean;
  run(log: (line: string) => void, scale: number): Promise<Figures>;
}

interface Figures {
  readonly ok: boolean;
  readonly [figure: string]: unknown;
}

/** The benchmark cannot run here because its input is missing; it has not failed. */
export class Unavailable extends Error {}
