/** What an operator should look at, in one list: the page says that everything is well only if it is empty. */
import type { PeerView, StorageView, TaskStats } from "../../../src/protocol/http.ts";
import { counted, duration, percent } from "./format.ts";
import type { TaskFigures } from "./throughput.ts";

export interface Finding {
  readonly severity: "bad" | "warn";
  readonly text: string;
  /** Where the page shows more of it. */
  readonly link?: string;
}

export interface MeshFacts {
  readonly peers: readonly PeerView[];
  readonly stats: TaskStats;
  readonly figures: TaskFigures;
  /** Null: the token may not read it. */
  readonly storage: StorageView | null;
  /** Why the mesh is not ready; null if it is. */
  readonly notReady: string | null;
}

/** A task that waits for longer is a finding. */
const WAIT_MAX_SECONDS = 60;
/** A queue that is fuller is a finding. */
const QUEUE_SHARE_MAX = 0.8;
/** A larger share of failures is a finding, from this many ended tasks on. */
const FAILED_SHARE_MAX = 0.1;
const ENDED_MIN = 10;

/** The worst first. */
export function findingsOf(facts: MeshFacts): readonly Finding[] {
  const found = [
    ...readiness(facts),
    ...ofStorage(facts),
    ...ofQueue(facts),
    ...ofFailures(facts),
    ...ofPeers(facts),
  ];
  return [
    ...found.filter(({ severity }) => severity === "bad"),
    ...found.filter(({ severity }) => severity === "warn"),
  ];
}

const readiness = ({ notReady }: MeshFacts): Finding[] =>
  notReady === null ? [] : [{ severity: "bad", text: `The mesh is not ready: ${notReady}` }];

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

function ofQueue({ stats, peers }: MeshFacts): Finding[] {
  const found: Finding[] = [];
  const { waiting, queue_max: max, oldest_wait_seconds: oldest } = stats;
  const workers = peers.filter(({ connected, slots }) => connected && slots > 0);
  if (waiting > 0 && workers.length === 0)
    found.push({
      severity: "bad",
      text: `${counted(waiting, "task waits", "tasks wait")}, and no worker is connected`,
      link: "#/tasks?state=queued",
    });
  else if (oldest !== null && oldest > WAIT_MAX_SECONDS)
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

function ofPeers({ peers }: MeshFacts): Finding[] {
  const resting = peers.filter(({ connected, circuits = [] }) => connected && circuits.length > 0);
  const suspect = peers.filter(({ state }) => state === "suspect");
  return [
    ...(resting.length === 0
      ? []
      : [
          {
            severity: "warn" as const,
            text: `${counted(resting.length, "peer keeps", "peers keep")} failing and ${resting.length === 1 ? "rests" : "rest"}`,
            link: "#/peers?state=resting",
          },
        ]),
    ...(suspect.length === 0
      ? []
      : [
          {
            severity: "warn" as const,
            text: `${counted(suspect.length, "peer does", "peers do")} not answer`,
            link: "#/peers?state=suspect",
          },
        ]),
  ];
}
