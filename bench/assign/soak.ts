import type { Workerd } from "../plain/workerd.ts";
import { callFor } from "./load.ts";
import { median, rounded } from "./quantiles.ts";

const SAMPLES = 200;

export interface SoakFigures {
  readonly seconds: number;
  readonly per_second: number;
  readonly rss_mib: { readonly start: number; readonly middle: number; readonly end: number };
  /** Growth of resident memory from the middle to the end, as a share of that at the middle. */
  readonly growth_second_half: number;
}

/** Full load for a long time, with samples of the server's resident memory. */
export async function soak(
  server: Workerd,
  { seconds, callers }: { readonly seconds: number; readonly callers: number },
  call: () => Promise<unknown>,
): Promise<SoakFigures> {
  const rss: number[] = [];
  const timer = setInterval(() => rss.push(server.rssKib() / 1_024), (seconds * 1_000) / SAMPLES);
  const load = await callFor(seconds, callers, call).finally(() => clearInterval(timer));
  const [start, middle, end] = [tenth(rss, 0), tenth(rss, 0.45), tenth(rss, 0.9)];
  return {
    seconds: Math.round(load.seconds),
    per_second: rounded(load.calls / load.seconds),
    rss_mib: { start: rounded(start), middle: rounded(middle), end: rounded(end) },
    growth_second_half: rounded(end / middle - 1),
  };
}

/** The median of a tenth of the samples. */
const tenth = (samples: readonly number[], from: number): number =>
  median(
    samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * (from + 0.1))),
  );
