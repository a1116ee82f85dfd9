import type { Random } from "../../src/base/clock.ts";
import { WANTED, type Asked, type Fleet } from "./fleet.ts";
import type { Ranking } from "./subject.ts";

/** Each figure is taken over at least this much CPU time and this many times. */
const MS_MIN = 200;
const TIMES_MIN = 3;
/** Random peers and scores are drawn beforehand; so many, then again from the first. */
const DRAWN = 1 << 16;
/** Picks in a row before those who were picked get their room back. */
const PICKS = 2_000;

/** Microseconds that an update takes: peers with room, in random order, to random scores. */
export function updateMicros(ranking: Ranking, { room }: Fleet, random: Random): number {
  const free = [...room.keys()].filter((peer) => room[peer] === 1);
  const drawn = { length: DRAWN };
  const peers = Uint32Array.from(drawn, () => free[Math.floor(random() * free.length)] as number);
  const scores = Float64Array.from(drawn, random);
  let [ms, done, chunk] = [0, 0, 1];
  while (ms < MS_MIN || done < TIMES_MIN) {
    const began = cpuMs();
    for (let i = done; i < done + chunk; i++)
      ranking.update(peers[i % DRAWN] as number, scores[i % DRAWN] as number);
    const took = cpuMs() - began;
    ms += took;
    done += chunk;
    // Chunks grow until reading the clock costs nothing beside them.
    if (took < 5) chunk *= 2;
  }
  return (1_000 * ms) / done;
}

/** Microseconds that a pick takes, which takes its peer out of the ranks; putting it back is not counted. */
export function pickMicros(ranking: Ranking, fleet: Fleet, asked: Asked, random: Random): number {
  const { traits, room } = fleet;
  const fitting = traits.filter((own, n) => room[n] === 1 && WANTED[asked](own)).length;
  const most = Math.max(1, Math.min(PICKS, fitting >> 1));
  const picked = new Uint32Array(most);
  let [ms, done, batch] = [0, 0, 1];
  while (ms < MS_MIN || done < TIMES_MIN) {
    const began = cpuMs();
    for (let n = 0; n < batch; n++) picked[n] = ranking.take(asked);
    const took = cpuMs() - began;
    ms += took;
    done += batch;
    for (const peer of picked.subarray(0, batch)) ranking.giveBack(peer, random());
    if (took < 5) batch = Math.min(most, 2 * batch);
  }
  return (1_000 * ms) / done;
}

/** CPU time of this thread, in milliseconds: what other work of the machine takes is not counted. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
