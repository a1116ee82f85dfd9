/** What several views show of the mesh: loaded once, for all of them. */
import type {
  AlertList,
  CellsView,
  CostsView,
  FailuresView,
  MapView,
  StorageView,
  TaskStats,
  TaskSummary,
} from "../../../src/protocol/http.ts";
import type { TaskPage } from "../api/answers.ts";
import { ApiError } from "../api/api-error.ts";
import { mayRead, type Session } from "../api/session.ts";
import type { Peers } from "../model/peer-changes.ts";
import { EventFeed, type FeedEvent } from "./event-feed.ts";
import { LiveValue } from "./live-value.ts";
import { allPeers, isOfPeer, patchPeers } from "./peer-list.ts";

/** The largest page of the API. */
const PAGE_MAX = 500;

export interface RecentTasks {
  /** The newest first. */
  readonly tasks: readonly TaskSummary[];
  /** When the oldest of them was submitted; null if they are all that the mesh has. */
  readonly knownSince: number | null;
}

export interface Readiness {
  /** Why the mesh can't do its work; null if it can. */
  readonly shortage: string | null;
}

/** The data of one session. */
export class MeshData {
  readonly events: EventFeed;
  readonly peers: LiveValue<Peers>;
  readonly stats: LiveValue<TaskStats>;
  readonly recent: LiveValue<RecentTasks>;
  readonly failures: LiveValue<FailuresView>;
  readonly readiness: LiveValue<Readiness>;
  /** Null: the token may not read it. */
  readonly alerts: LiveValue<AlertList> | null;
  /** Null: the token may not read it. */
  readonly cells: LiveValue<CellsView> | null;
  /** Null: the token may not read it. */
  readonly map: LiveValue<MapView> | null;
  /** Null: the token may not read it. */
  readonly costs: LiveValue<CostsView> | null;
  /** Null: the token may not read it. */
  readonly storage: LiveValue<StorageView> | null;

  constructor({ api, caller }: Session) {
    const feed = (this.events = new EventFeed(api));
    const byTasks = { feed, isAbout: isOfTask };
    this.peers = new LiveValue(
      (signal) => allPeers(api, signal),
      2_000,
      // A controller gets the events of its tasks only.
      mayRead(caller) ? { feed, isAbout: isOfPeer, patch: patchPeers(api) } : null,
    );
    this.stats = new LiveValue((signal) => api.get("/v1/tasks/stats", {}, signal), 2_000, byTasks);
    this.recent = new LiveValue<RecentTasks>(
      async (signal) => {
        const page: TaskPage = await api.get("/v1/tasks", { limit: PAGE_MAX }, signal);
        const oldest = page.next_cursor === null ? null : (page.tasks.at(-1)?.created_at ?? null);
        return { tasks: page.tasks, knownSince: oldest === null ? null : Date.parse(oldest) };
      },
      3_000,
      byTasks,
    );
    this.failures = new LiveValue((signal) => api.get("/v1/tasks/failures", {}, signal), 10_000, {
      feed,
      isAbout: ({ type }) => type === "task.failed" || type === "task.expired",
    });
    this.readiness = new LiveValue(async (signal) => {
      try {
        await api.get("/readyz", {}, signal);
        return { shortage: null };
      } catch (error) {
        if (error instanceof ApiError && error.status === 503) return { shortage: error.message };
        throw error;
      }
    }, 10_000);
    this.alerts = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/alerts", {}, signal), 10_000, {
          feed,
          isAbout: ({ type }) => type.startsWith("alert."),
        })
      : null;
    this.cells = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/cells", {}, signal), 10_000, {
          feed,
          // Everything else that is shown of cells is measured.
          isAbout: ({ type }) => type.startsWith("alert."),
          isMeasured: true,
        })
      : null;
    this.map = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/map", {}, signal), 15_000, {
          feed,
          isAbout: isOfPeer,
        })
      : null;
    this.costs = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/costs", {}, signal), 60_000)
      : null;
    this.storage = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/mesh/storage", {}, signal), 15_000)
      : null;
  }
}

/** Whether an event is about a task: any one, or the given one. */
export const isOfTask = ({ type, text }: FeedEvent, id = ""): boolean =>
  type.startsWith("task.") && text.includes(id);
