import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { HEARTBEAT_INTERVAL, IDLE_CHECK_INTERVAL } from "../src/protocol/constants.ts";
import type { Bench } from "./bench.ts";

/** List prices in dollars: per request (or 20 incoming messages), row written, KV write, GB-second. */
const PRICE = { request: 0.15e-6, row: 1e-6, kv: 5e-6, gbSecond: 12.5e-6 } as const;
const MESSAGES_PER_REQUEST = 20;
/** The memory for which an object is billed, in GB. */
const OBJECT_GB = 0.128;
const DAYS_PER_MONTH = 30;
const SECONDS_PER_DAY = 86_400;

/** An idle muster.2 peer may cost this much per month, and must cost this many times less than the fixed design. */
const BAR_DOLLARS = 0.01;
const BAR_TIMES = 10;
/** The lease of a peer that died must end within this time, not counting the lateness of alarms. */
const BAR_LEASE_SECONDS = 100;

export const liveness: Bench = {
  summary: "the monthly cost of an idle peer, and how soon a silent disconnection is detected",
  async run(log) {
    const counted = await countDay();
    const heartbeats = (SECONDS_PER_DAY * 1_000) / HEARTBEAT_INTERVAL;
    const designs = {
      fixed: priceMonth(counted.fixed, 0),
      muster_2: priceMonth(counted.muster_2, heartbeats),
      go_p2p: priceMonth(counted.go_p2p, 0),
      // An outgoing WebSocket does not hibernate, so the object stays in memory.
      dialled: priceMonth({ ...counted.go_p2p, handlerMs: SECONDS_PER_DAY * 1_000 }, 0),
    };
    for (const [name, { per_day, dollars_a_month }] of Object.entries(designs)) {
      const { wakes, alarms, rpcs, messages, rowsWritten, kvWrites } = per_day;
      log(
        `${name.padEnd(9)} $${dollars_a_month.toFixed(4)} per peer and month;  per day: ${wakes} wakes (${alarms} alarms, ${messages} messages), ` +
          `${rpcs} RPCs, ${rowsWritten} rows, ${kvWrites} KV writes`,
      );
    }
    const times = designs.fixed.dollars_a_month / designs.muster_2.dollars_a_month;
    const idle = counted.idle_death_seen_s;
    const leased = counted.leased_death_seen_s;
    log(`muster.2 costs ${times.toFixed(1)} times less than an alarm every 30 s`);
    log(
      `a silent disconnection is detected within ${idle} s; within ${leased} s while the peer holds a lease`,
    );
    return {
      ok:
        designs.muster_2.dollars_a_month <= BAR_DOLLARS &&
        times >= BAR_TIMES &&
        idle <= (2 * IDLE_CHECK_INTERVAL) / 1_000 &&
        leased <= BAR_LEASE_SECONDS,
      bar: `$${BAR_DOLLARS} and ${BAR_TIMES} times less; detection within 2 deadlines; leases end within ${BAR_LEASE_SECONDS} s plus the lateness of alarms`,
      times_less_than_fixed: Math.round(times * 10) / 10,
      ...designs,
      idle_death_seen_s: idle,
      leased_death_seen_s: leased,
      alarms_late_ms_max: counted.alarms_late_ms_max,
      beats_a_day_by_arithmetic: heartbeats,
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

interface DayCounts {
  readonly muster_2: Counts;
  readonly go_p2p: Counts;
  readonly fixed: Counts;
  readonly idle_death_seen_s: number;
  readonly leased_death_seen_s: number;
  readonly alarms_late_ms_max: number;
}

/** The cost of a month of such days. Heartbeats reach no object, but are billed as messages. */
function priceMonth(per_day: Counts, heartbeats: number) {
  const { alarms, rpcs, messages, rowsWritten, kvWrites, handlerMs } = per_day;
  const day =
    (alarms + rpcs + (messages + heartbeats) / MESSAGES_PER_REQUEST) * PRICE.request +
    rowsWritten * PRICE.row +
    kvWrites * PRICE.kv +
    (handlerMs / 1_000) * OBJECT_GB * PRICE.gbSecond;
  return {
    dollars_a_month: Math.round(day * DAYS_PER_MONTH * 1e6) / 1e6,
    per_day: {
      // Each of these usually wakes a hibernating object.
      wakes: alarms + messages,
      ...per_day,
      handlerMs: Math.round(handlerMs),
    },
  };
}

/** Runs a day of each design in workerd, with a clock that jumps from alarm to alarm. */
async function countDay(): Promise<DayCounts> {
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  const config = fileURLToPath(new URL("liveness/vitest.config.ts", import.meta.url));
  const args = [join(dirname(manifest), "vitest.mjs"), "run", `--config=${config}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  const figures = /FIGURES (\{.*\})/.exec(stdout)?.[1];
  if (figures === undefined || code !== 0)
    throw new Error(`the day could not be measured:\n${stdout}\n${stderr}`);
  return JSON.parse(figures) as DayCounts;
}
