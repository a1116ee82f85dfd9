import type { KeptDelivery, RefusedList, TaskSummary } from "../../client/index.ts";
import { hasEnded } from "../../client/tasks/task.ts";
import { WEBHOOK_DELIVERIES_PER_SOURCE_MAX } from "../../protocol/constants.ts";

/** What a watch reads of one source. Each may throw: then nothing of that poll counts as seen. */
export interface WatchedSource {
  /** Its refused deliveries, counted by reason. */
  refused(): Promise<RefusedList>;
  /** Its recorded deliveries, newest first. */
  deliveries(): AsyncIterable<KeptDelivery>;
  /** The tasks that it created, newest first. */
  tasks(): AsyncIterable<TaskState>;
  /** One task; null if there is none any more. */
  task(id: string): Promise<TaskState | null>;
}

export type TaskState = Pick<TaskSummary, "id" | "kind" | "state" | "ended_at" | "error">;

/** Something that happened at a source, since the poll before. */
export type WatchEvent =
  | {
      readonly type: "delivery";
      readonly at: string;
      readonly delivery: string;
      readonly outcome: KeptDelivery["outcome"];
      readonly task_id: string | null;
      /** The kind of the task; null if there is none. */
      readonly kind: string | null;
      readonly detail: string | null;
      readonly bytes: number;
      readonly replay_of: string | null;
    }
  | {
      readonly type: "refused";
      readonly at: string;
      readonly code: string;
      readonly status: number;
      readonly detail: string;
      readonly count: number;
      readonly address: string | null;
    }
  | { readonly type: "unknown_source"; readonly at: string; readonly count: number }
  | {
      readonly type: "task_ended";
      readonly at: string;
      readonly task_id: string;
      readonly kind: string;
      readonly state: TaskState["state"];
      readonly error: string | null;
    }
  /** As many arrived since the last poll as the list keeps: there may have been more. */
  | { readonly type: "missed"; readonly at: string };

/** Tasks of one poll that are read one by one, because newer ones have displaced them from the list. */
const SINGLE_READS_MAX = 20;
/** Tasks of the list that one poll reads. */
const LISTED_TASKS_MAX = 200;
/** Tasks whose end is awaited. Of more, the oldest is forgotten. */
const AWAITED_MAX = 2_000;

/**
 * What arrives at a source, from poll to poll: every recorded delivery once, every refused one as a number, and the end of each
 * task. The first poll notes what is there already. A poll that fails changes nothing, so the next one returns what it would have.
 */
export class DeliveryWatch {
  readonly #source: WatchedSource;
  /** The recorded deliveries of the last poll; null before the first. */
  #seen: ReadonlySet<string> | null = null;
  #refusals: ReadonlyMap<string, number> = new Map();
  #unknown = 0;
  /** The tasks whose end is awaited, the oldest first. */
  #awaited: ReadonlySet<string> = new Set();

  constructor(source: WatchedSource) {
    this.#source = source;
  }

  async poll(): Promise<readonly WatchEvent[]> {
    const refused = await this.#source.refused();
    const { fresh, isComplete } = await this.#freshDeliveries();
    const isFirst = this.#seen === null;
    const created = isFirst ? [] : fresh.flatMap((each) => taskCreatedBy(each) ?? []);
    const awaited = new Set([...this.#awaited, ...created]);
    const tasks = await this.#tasks(awaited, new Set(created));

    const events: WatchEvent[] = isFirst
      ? []
      : [
          ...(isComplete ? [] : [{ type: "missed", at: fresh.at(-1)?.received_at ?? "" } as const]),
          ...fresh.toReversed().map((each) => deliveryEvent(each, tasks)),
          ...this.#refusalEvents(refused),
          ...endedEvents(tasks),
        ];
    this.#seen = new Set([...fresh.map(({ id }) => id), ...(this.#seen ?? [])].slice(0, SEEN_MAX));
    this.#refusals = new Map(refused.refused.map(({ id, count }) => [id, count]));
    this.#unknown = refused.unknown_sources?.count ?? 0;
    const still = [...awaited].filter((id) => {
      const task = tasks.get(id);
      return task === undefined || (task !== null && !hasEnded(task));
    });
    this.#awaited = new Set(still.slice(-AWAITED_MAX));
    return events.toSorted((a, b) => a.at.localeCompare(b.at));
  }

  /** The deliveries since the last poll, newest first, and whether these are all. */
  async #freshDeliveries() {
    const fresh: KeptDelivery[] = [];
    for await (const delivery of this.#source.deliveries()) {
      if (this.#seen?.has(delivery.id) === true) return { fresh, isComplete: true };
      fresh.push(delivery);
    }
    // The list ended before a known delivery. A full list may have lost some.
    return { fresh, isComplete: fresh.length < WEBHOOK_DELIVERIES_PER_SOURCE_MAX };
  }

  /** These tasks by their IDs; null for one that does not exist any more. One that is not read stays awaited. */
  async #tasks(
    ids: ReadonlySet<string>,
    created: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, TaskState | null>> {
    const found = new Map<string, TaskState | null>();
    if (ids.size === 0) return found;
    let read = 0;
    for await (const task of this.#source.tasks()) {
      if (ids.has(task.id)) found.set(task.id, task);
      if (found.size === ids.size || ++read === LISTED_TASKS_MAX) break;
    }
    const missing = [...ids].filter((id) => !found.has(id));
    const old = missing.filter((id) => !created.has(id)).slice(0, SINGLE_READS_MAX);
    for (const id of [...missing.filter((each) => created.has(each)), ...old])
      found.set(id, await this.#source.task(id));
    return found;
  }

  /** Refusals since the last poll. Those of deliveries that are recorded are seen there. */
  #refusalEvents({ refused, unknown_sources: unknown }: RefusedList): WatchEvent[] {
    const events: WatchEvent[] = [];
    for (const each of refused) {
      const count = each.count - (this.#refusals.get(each.id) ?? 0);
      if (count <= 0 || each.in_deliveries) continue;
      const { code, status, detail, address, last_at: at } = each;
      events.push({ type: "refused", at, code, status, detail, count, address });
    }
    const count = (unknown?.count ?? 0) - this.#unknown;
    if (unknown !== null && count > 0)
      events.push({ type: "unknown_source", at: unknown.last_at, count });
    return events;
  }
}

/** As many as a list can have. */
const SEEN_MAX = 2 * WEBHOOK_DELIVERIES_PER_SOURCE_MAX;

const taskCreatedBy = ({ outcome, task_id }: KeptDelivery): string | null =>
  outcome === "task" ? task_id : null;

function deliveryEvent(
  delivery: KeptDelivery,
  tasks: ReadonlyMap<string, TaskState | null>,
): WatchEvent {
  const { id, received_at: at, outcome, task_id, detail, bytes, replay_of } = delivery;
  const kind = task_id === null ? null : (tasks.get(task_id)?.kind ?? null);
  return { type: "delivery", at, delivery: id, outcome, task_id, kind, detail, bytes, replay_of };
}

const endedEvents = (tasks: ReadonlyMap<string, TaskState | null>): WatchEvent[] =>
  [...tasks.values()].flatMap((task) =>
    task === null || !hasEnded(task)
      ? []
      : [
          {
            type: "task_ended" as const,
            at: task.ended_at ?? "",
            task_id: task.id,
            kind: task.kind,
            state: task.state,
            error: task.error,
          },
        ],
  );
