import type { PeerState } from "../protocol/http.ts";
import type { Role } from "../protocol/messages.ts";
import { number, text, type Sql } from "./sql.ts";

/** The peers of one state and role, in numbers. Those of measurements may be some seconds old. */
export interface PeerTotals {
  readonly state: PeerState;
  readonly role: Role;
  readonly peers: number;
  readonly slots: number;
  /** Cordoned or draining, by the operator's word or their own. */
  readonly cordoned: number;
  readonly draining: number;
  /** For each bound how many measured round trips are not longer, and how many there are in all; in milliseconds. */
  readonly rtts: readonly number[];
  readonly rttSum: number;
  /** The same of scores. */
  readonly scores: readonly number[];
  readonly scoreSum: number;
}

/** Bounds of buckets, ascending. */
interface Bounds {
  readonly rttMs: readonly number[];
  readonly score: readonly number[];
}

/** Reads each record once, and nothing of it into memory: there may be a quarter of a million. */
export function peerTotals(sql: Sql, { rttMs, score }: Bounds): readonly PeerTotals[] {
  const columns = [
    ...upTo("rtt_ms", rttMs, "rtt"),
    ...upTo("score", score, "score"),
    `COUNT(*) AS peers`,
    `SUM(slots) AS slots`,
    `COUNT(*) FILTER (WHERE scheduling = 'cordoned' AND leaving = 0) AS cordoned`,
    `COUNT(*) FILTER (WHERE scheduling = 'draining' OR leaving = 1) AS draining`,
  ];
  return sql
    .exec(`SELECT state, role, ${columns.join(", ")} FROM peers GROUP BY state, role`)
    .map((row) => ({
      state: text(row, "state") as PeerState,
      role: text(row, "role") as Role,
      peers: number(row, "peers"),
      slots: number(row, "slots"),
      cordoned: number(row, "cordoned"),
      draining: number(row, "draining"),
      rtts: Array.from({ length: rttMs.length + 1 }, (_, index) => number(row, `rtt${index}`)),
      rttSum: number(row, "rtt_sum"),
      scores: Array.from({ length: score.length + 1 }, (_, index) => number(row, `score${index}`)),
      scoreSum: number(row, "score_sum"),
    }));
}

/** Columns that count how many values are not above each bound, and how many there are in all, and one with their sum. */
const upTo = (column: string, bounds: readonly number[], as: string): readonly string[] => [
  ...bounds.map((bound, index) => `COUNT(*) FILTER (WHERE ${column} <= ${bound}) AS ${as}${index}`),
  `COUNT(${column}) AS ${as}${bounds.length}`,
  `TOTAL(${column}) AS ${as}_sum`,
];
