import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { HEARTBEAT_INTERVAL, IDLE_DEADLINE } from "../src/protocol/constants.ts";
import type { Bench } from "./bench.ts";

/** List prices, in dollars: a request, 20 incoming messages, a row written, a write to KV, a GB-second. */
const PRICE = { request: 0.15e-6, row: 1e-6, kv: 5e-6, gbSecond: 12.5e-6 } as const;
const MESSAGES_A_REQUEST = 20;
/** What an object is billed as holding, in GB. */
const OBJECT_GB = 0.128;
const DAYS_A_MONTH = 30;
const SECONDS_A_DAY = 86_400;

/** An idle muster.2 peer may cost this much a month, and this share of the fixed design. */
const BAR_DOLLARS = 0.01;
const BAR_TIMES = 10;
/** A lease of a peer that died is free again within this, and how late alarms ring. */
const BAR_LEASE_SECONDS = 100;

export const liveness: Bench = {
  summary: "what an idle peer costs a month, and how soon a silent death is seen",
  async run(log) {
    const counted = await countDay();
    const beats = (SECONDS_A_DAY * 1_000) / HEARTBEAT_INTERVAL;
    const designs = {
      fixed: priced(counted.fixed, 0),
      muster_2: priced(counted.muster_2, beats),
      go_p2p: priced(counted.go_p2p, 0),
      // Whoever dials keeps its object in memory: nothing of that hibernates.
      dialled: priced({ ...counted.go_p2p, handlerMs: SECONDS_A_DAY * 1_000 }, 0),
    };
    for (const [name, { per_day, dollars_a_month }] of Object.entries(designs)) {
      const { wakes, alarms, rpcs, messages, rowsWritten, kvWrites } = per_day;
      log(
        `${name.padEnd(9)} $${dollars_a_month.toFixed(4)} a peer-month;  a day: ${wakes} wakes (${alarms} alarms, ${messages} messages), ` +
          `${rpcs} RPCs, ${rowsWritten} rows, ${kvWrites} KV writes`,
      );
    }
    const times = designs.fixed.dollars_a_month / designs.muster_2.dollars_a_month;
    const idle = counted.idle_death_seen_s;
    const leased = counted.leased_death_seen_s;
    log(`muster.2 costs ${times.toFixed(1)} times less than an alarm every 30 s`);
    log(`a silent death is seen within ${idle} s; within ${leased} s while a lease is held`);
    return {
      ok:
        designs.muster_2.dollars_a_month <= BAR_DOLLARS &&
        times >= BAR_TIMES &&
        idle <= (2 * IDLE_DEADLINE) / 1_000 &&
        leased <= BAR_LEASE_SECONDS,
      bar: `$${BAR_DOLLARS} and ${BAR_TIMES} times less; deaths within 2 deadlines; leases free within ${BAR_LEASE_SECONDS} s and the lateness of alarms`,
      times_less_than_fixed: Math.round(times * 10) / 10,
      ...designs,
      idle_death_seen_s: idle,
      leased_death_seen_s: leased,
      alarms_late_ms_max: counted.alarms_late_ms_max,
      beats_a_day_by_arithmetic: beats,
    };
  },
};

interface Counts {
  readonly alarms: number;
  readonly rpcs: number;
  readonly messages: number;
  readonly rowsWritten: number;
  readonly kvWrites: number;
  readonly handlerMs: number;
}

interface Counted {
  readonly muster_2: Counts;
  readonly go_p2p: Counts;
  readonly fixed: Counts;
  readonly idle_death_seen_s: number;
  readonly leased_death_seen_s: number;
  readonly alarms_late_ms_max: number;
}

/** The month of a peer whose days are all like this one. Beats reach no object, but are billed as messages. */
function priced(per_day: Counts, beats: number) {
  const { alarms, rpcs, messages, rowsWritten, kvWrites, handlerMs } = per_day;
  const day =
    (alarms + rpcs + (messages + beats) / MESSAGES_A_REQUEST) * PRICE.request +
    rowsWritten * PRICE.row +
    kvWrites * PRICE.kv +
    (handlerMs / 1_000) * OBJECT_GB * PRICE.gbSecond;
  return {
    dollars_a_month: Math.round(day * DAYS_A_MONTH * 1e6) / 1e6,
    per_day: {
      // Each of these finds its object asleep, as a rule.
      wakes: alarms + messages,
      ...per_day,
      handlerMs: Math.round(handlerMs),
    },
  };
}

/** Lives a day of each in workerd, by a clock that runs as fast as the alarms ring. */
async function countDay(): Promise<Counted> {
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  const config = fileURLToPath(new URL("liveness/vitest.config.ts", import.meta.url));
  const args = [join(dirname(manifest), "vitest.mjs"), "run", `--config=${config}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [said, complained, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  const figures = /FIGURES (\{.*\})/.exec(said)?.[1];
  if (figures === undefined || code !== 0)
    throw new Error(`the day could not be counted:\n${said}\n${complained}`);
  return JSON.parse(figures) as Counted;
}
