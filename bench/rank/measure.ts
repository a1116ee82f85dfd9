import type { Random } from "../../src/base/clock.ts";
import { QUERY_FILTERS, type Query, type Fleet } from "./fleet.ts";
import type { Ranking } from "./subject.ts";

/** Each figure is an average over at least this much CPU time and this many runs. */
const CPU_MS_MIN = 200;
const RUNS_MIN = 3;
/** How many random peers and scores are drawn before the measurement; they are then reused in order. */
const DRAWS = 1 << 16;
/** How many picks follow each other before the picked peers are put back. */
const PICKS_MAX = 2_000;

/** Microseconds per update: random peers with a free slot get random scores. */
export function updateMicros(ranking: Ranking, { room }: Fleet, random: Random): number {
  const free = [...room.keys()].filter((peer) => room[peer] === 1);
  const drawn = { length: DRAWS };
  const peers = Uint32Array.from(drawn, () => free[Math.floor(random() * free.length)] as number);
  const scores = Float64Array.from(drawn, random);
  let [ms, done, chunk] = [0, 0, 1];
  while (ms < CPU_MS_MIN || done < RUNS_MIN) {
    const began = cpuMs();
    for (let i = done; i < done + chunk; i++)
      ranking.update(peers[i % DRAWS] as number, scores[i % DRAWS] as number);
    const took = cpuMs() - began;
    ms += took;
    done += chunk;
    // Chunks grow until the cost of reading the clock is negligible.
    if (took < 5) chunk *= 2;
  }
  return (1_000 * ms) / done;
}

/** Microseconds per pick, which removes the picked peer from the ranking; putting it back is not counted. */
export function pickMicros(ranking: Ranking, fleet: Fleet, asked: Query, random: Random): number {
  const { traits, room } = fleet;
  const fitting = traits.filter((own, n) => room[n] === 1 && QUERY_FILTERS[asked](own)).length;
  const most = Math.max(1, Math.min(PICKS_MAX, fitting >> 1));
  const picked = new Uint32Array(most);
  let [ms, done, batch] = [0, 0, 1];
  while (ms < CPU_MS_MIN || done < RUNS_MIN) {
    const began = cpuMs();
    for (let n = 0; n < batch; n++) picked[n] = ranking.takeBest(asked);
    const took = cpuMs() - began;
    ms += took;
    done += batch;
    for (const peer of picked.subarray(0, batch)) ranking.putBack(peer, random());
    if (took < 5) batch = Math.min(most, 2 * batch);
  }
  return (1_000 * ms) / done;
}

/** The CPU time of this thread, in milliseconds: other work of the machine is not counted. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
