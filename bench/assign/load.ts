import type { Workerd } from "../plain/workerd.ts";
import { median, medianOf, rounded } from "./quantiles.ts";

/** What one round of a load did. */
export interface Load {
  readonly calls: number;
  readonly seconds: number;
}

/** What one round of a load cost its server. */
export interface Cost {
  readonly perSecond: number;
  /** Calls of fsync and fdatasync; null if they cannot be counted here. */
  readonly fsyncsPerCall: number | null;
  readonly cpuMsPerCall: number;
  /** CPU time of this process, which runs callers and peers: it must not be what limits the rate. */
  readonly clientCpuMsPerCall: number;
}

/** A process whose cost is counted. */
export type Counted = Pick<Workerd, "cpuMs" | "fsyncs">;

/** Runs a load and returns what it cost the server. */
export async function costOf(server: Counted, run: () => Promise<Load>): Promise<Cost> {
  const [cpuBefore, fsyncsBefore] = [server.cpuMs(), server.fsyncs()];
  const clientBefore = process.cpuUsage();
  const { calls, seconds } = await run();
  const client = process.cpuUsage(clientBefore);
  const fsyncsAfter = server.fsyncs();
  return {
    perSecond: calls / seconds,
    fsyncsPerCall:
      fsyncsBefore === null || fsyncsAfter === null ? null : (fsyncsAfter - fsyncsBefore) / calls,
    cpuMsPerCall: (server.cpuMs() - cpuBefore) / calls,
    clientCpuMsPerCall: (client.user + client.system) / 1_000 / calls,
  };
}

/** Runs `call` again and again in `callers` concurrent loops, until the time is over. */
export async function callFor(
  seconds: number,
  callers: number,
  call: () => Promise<unknown>,
): Promise<Load> {
  const began = performance.now();
  const until = began + seconds * 1_000;
  let calls = 0;
  const loop = async () => {
    while (performance.now() < until) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return { calls, seconds: (performance.now() - began) / 1_000 };
}

/** The medians over rounds; null if there was no round. */
export function medianCost(rounds: readonly Cost[]): Cost | null {
  if (rounds.length === 0) return null;
  return {
    perSecond: median(rounds.map((round) => round.perSecond)),
    fsyncsPerCall: medianOf(rounds.map((round) => round.fsyncsPerCall)),
    cpuMsPerCall: median(rounds.map((round) => round.cpuMsPerCall)),
    clientCpuMsPerCall: median(rounds.map((round) => round.clientCpuMsPerCall)),
  };
}

/** The medians as they are reported. */
export const costFigures = (cost: Cost | null) =>
  cost && {
    per_second: rounded(cost.perSecond),
    fsyncs_each: cost.fsyncsPerCall === null ? null : rounded(cost.fsyncsPerCall),
    server_cpu_ms_each: rounded(cost.cpuMsPerCall),
    client_cpu_ms_each: rounded(cost.clientCpuMsPerCall),
  };

export const costLine = (name: string, { perSecond, fsyncsPerCall, cpuMsPerCall }: Cost): string =>
  [
    name.padEnd(28),
    `${perSecond.toFixed(0).padStart(6)}/s`,
    `${fsyncsPerCall?.toFixed(2) ?? "?"} fsyncs`,
    `${cpuMsPerCall.toFixed(2)} ms CPU`,
  ].join("  ");
