/** What an operator should look at, in one list: the page says that everything is well only if it is empty. */
import type { AlertView, PeerView, StorageView, TaskStats } from "../../../src/protocol/http.ts";
import { counted, duration, line, percent } from "./format.ts";
import { hashOf } from "./route.ts";
import type { TaskFigures } from "./throughput.ts";

export interface Finding {
  readonly severity: "bad" | "warn";
  readonly text: string;
  /** Since when; RFC 3339. */
  readonly since?: string;
  /** Where the page shows more of it. */
  readonly link?: string;
}

export interface MeshFacts {
  /** Why the page could not read something of this, so that it is missing or old; null if it could. */
  readonly unread: string | null;
  readonly peers: readonly PeerView[];
  readonly stats: TaskStats;
  readonly figures: TaskFigures;
  /** Null: the token may not read it. */
  readonly storage: StorageView | null;
  /** Why the mesh is not ready; null if it is. */
  readonly notReady: string | null;
  /** The alerts of the mesh; null: the token may not read them, or they are not known. */
  readonly alerts: readonly AlertView[] | null;
}

/** A task that waits for longer is a finding. */
const WAIT_MAX_SECONDS = 60;
/** A queue that is fuller is a finding. */
const QUEUE_SHARE_MAX = 0.8;
/** A larger share of failures is a finding, from this many ended tasks on. */
const FAILED_SHARE_MAX = 0.1;
const ENDED_MIN = 10;

/**
 * The worst first. What the mesh has alerts for is what its alerts say, by the thresholds of its operator. The page finds the rest: what the mesh has no alert for, and
 * everything if the token may not read alerts.
 */
export function findingsOf(facts: MeshFacts): readonly Finding[] {
  const { alerts } = facts;
  const found = [
    ...ofReading(facts),
    ...readiness(facts),
    ...(alerts === null
      ? [...ofStorage(facts), ...ofQueue(facts), ...ofCircuits(facts)]
      : alerts.map(ofAlert)),
    ...ofWorkers(facts),
    ...ofFailures(facts),
    ...ofSuspects(facts),
  ];
  return [
    ...found.filter(({ severity }) => severity === "bad"),
    ...found.filter(({ severity }) => severity === "warn"),
  ];
}

const SEVERE: readonly AlertView["alert"][] = [
  "mass_failure",
  "storage",
  "cell_down",
  "cell_messages",
];

function ofAlert({ alert, peer, kind, message, since }: AlertView): Finding {
  const severity = SEVERE.includes(alert) ? "bad" : "warn";
  // The message has the time until the alert fired, which may be long ago.
  const found = { severity, text: line(message), since } as const;
  if (peer !== null) return { ...found, link: hashOf(["peers", peer]) };
  if (alert === "queue_old" || alert === "queue_long")
    return { ...found, link: hashOf(["tasks"], { state: "queued", kind: kind ?? "" }) };
  return found;
}

const ofReading = ({ unread }: MeshFacts): Finding[] =>
  unread === null ? [] : [{ severity: "bad", text: `Not known how the mesh is: ${line(unread)}` }];

const readiness = ({ notReady }: MeshFacts): Finding[] =>
  notReady === null ? [] : [{ severity: "bad", text: `The mesh is not ready: ${line(notReady)}` }];

function ofStorage({ storage }: MeshFacts): Finding[] {
  if (storage === null || storage.state === "ok") return [];
  return storage.state === "full"
    ? [{ severity: "bad", text: "The database is full: no task is accepted until there is room" }]
    : [
        {
          severity: "warn",
          text: "The database is nearly full: the oldest ended tasks are removed",
        },
      ];
}

/** No alert waits as short a time for this as somebody who looks at the page. */
const ofWorkers = (facts: MeshFacts): Finding[] =>
  lacksWorkers(facts)
    ? [
        {
          severity: "bad",
          text: `${counted(facts.stats.waiting, "task waits", "tasks wait")}, and no worker is connected`,
          link: "#/tasks?state=queued",
        },
      ]
    : [];

const lacksWorkers = ({ stats, peers }: MeshFacts): boolean =>
  stats.waiting > 0 && !peers.some(({ connected, slots }) => connected && slots > 0);

function ofQueue(facts: MeshFacts): Finding[] {
  const found: Finding[] = [];
  const { waiting, queue_max: max, oldest_wait_seconds: oldest } = facts.stats;
  if (!lacksWorkers(facts) && oldest !== null && oldest > WAIT_MAX_SECONDS)
    found.push({
      severity: "warn",
      text: `The oldest task that could run has waited for ${duration(oldest * 1_000)}`,
      link: "#/tasks?state=queued",
    });
  if (max > 0 && waiting / max > QUEUE_SHARE_MAX)
    found.push({
      severity: waiting >= max ? "bad" : "warn",
      text: `The queue is ${percent(waiting / max)} full`,
      link: "#/tasks?state=queued",
    });
  return found;
}

function ofFailures({ figures: { ended, failed, spanMs } }: MeshFacts): Finding[] {
  if (ended < ENDED_MIN || failed / ended <= FAILED_SHARE_MAX) return [];
  const text = `${percent(failed / ended)} of the tasks that ended in the last ${duration(spanMs)} failed`;
  return [{ severity: failed / ended > 0.5 ? "bad" : "warn", text, link: "#/tasks?state=failed" }];
}

function ofCircuits({ peers }: MeshFacts): Finding[] {
  const resting = peers.filter(({ connected, circuits = [] }) => connected && circuits.length > 0);
  if (resting.length === 0) return [];
  const text = `${counted(resting.length, "peer keeps", "peers keep")} failing and ${resting.length === 1 ? "rests" : "rest"}`;
  return [{ severity: "warn", text, link: "#/peers?state=resting" }];
}

function ofSuspects({ peers }: MeshFacts): Finding[] {
  const suspect = peers.filter(({ state }) => state === "suspect");
  if (suspect.length === 0) return [];
  const text = `${counted(suspect.length, "peer does", "peers do")} not answer`;
  return [{ severity: "warn", text, link: "#/peers?state=suspect" }];
}
