import type { Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { QUEUE_MAX, STATS_ROWS_MAX } from "../../protocol/constants.ts";
import type { TaskStats } from "../../protocol/http.ts";
import { waitsFrom } from "../../tasks/queue-position.ts";
import { limitsView } from "../access/owner-limits.ts";
import { maxBytesOf } from "../storage/room.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { isDraining } from "../cells/draining.ts";
import { kindSettingsView } from "./kind-settings.ts";
import { maxWaitingOf } from "./queue-limit.ts";

/** Waiting and running tasks by kind and by owner, with the limits that hold. */
export const taskStats: Handler<"task_stats"> = (context, { visibleTo }) => {
  const { registry, now } = context;
  const isSeen = ({ owner }: { readonly owner: string }) =>
    visibleTo === null || owner === visibleTo;
  const total = new Counts();
  const [kinds, owners] = [new Groups(), new Groups()];
  for (const task of registry.tasks.waiting.all())
    if (isSeen(task))
      for (const counts of [total, kinds.of(task.kind), owners.of(task.owner)])
        counts.addWaiting(waitsFrom(task));
  for (const task of registry.tasks.running.all())
    if (isSeen(task))
      for (const counts of [total, kinds.of(task.kind), owners.of(task.owner)]) counts.running++;
  return ok({
    ...total.view(now),
    queue_max: isDraining(registry) ? 0 : QUEUE_MAX,
    kinds: kinds.largest().map(([kind, counts]) => kindStats(context, kind, counts)),
    owners: owners.largest().map(([owner, counts]) => ownerStats(context, owner, counts)),
    truncated: kinds.size > STATS_ROWS_MAX || owners.size > STATS_ROWS_MAX,
  });
};

function kindStats({ registry, now }: Context, kind: string, counts: Counts) {
  const settings = registry.kindSettings.get(kind);
  return {
    kind,
    ...counts.view(now),
    settings: settings === null ? null : kindSettingsView(kind, settings),
  };
}

function ownerStats(context: Context, owner: string, counts: Counts): TaskStats["owners"][number] {
  const { registry, now } = context;
  const limits = limitsView(registry.ownerLimits.of(owner));
  return {
    owner,
    label: registry.apiTokens.get(owner)?.label ?? registry.peers.get(owner)?.name ?? null,
    ...counts.view(now),
    bytes: registry.tasks.ownerBytes.openOf(owner),
    limits: {
      ...limits,
      max_waiting: maxWaitingOf(context, owner),
      max_bytes: maxBytesOf(context, owner),
    },
  };
}

class Counts {
  waiting = 0;
  running = 0;
  #oldest: Millis | null = null;

  addWaiting(from: Millis): void {
    this.waiting++;
    if (this.#oldest === null || from < this.#oldest) this.#oldest = from;
  }

  view(now: Millis) {
    const { waiting, running } = this;
    const oldest = this.#oldest === null ? null : Math.max(0, now - this.#oldest) / 1_000;
    return { waiting, running, oldest_wait_seconds: oldest };
  }
}

/** Counts by a name. */
class Groups {
  readonly #groups = new Map<string, Counts>();

  get size(): number {
    return this.#groups.size;
  }

  of(name: string): Counts {
    let counts = this.#groups.get(name);
    if (counts === undefined) this.#groups.set(name, (counts = new Counts()));
    return counts;
  }

  /** Those with the most tasks. */
  largest(): readonly (readonly [string, Counts])[] {
    const tasks = (counts: Counts) => counts.waiting + counts.running;
    return [...this.#groups]
      .toSorted(([, a], [, b]) => tasks(b) - tasks(a))
      .slice(0, STATS_ROWS_MAX);
  }
}
