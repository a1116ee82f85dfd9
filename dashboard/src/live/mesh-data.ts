/** What several views show of the mesh: loaded once, for all of them. */
import type {
  FailuresView,
  PeerView,
  StorageView,
  TaskStats,
  TaskSummary,
} from "../../../src/protocol/http.ts";
import type { PeerPage, TaskPage } from "../api/answers.ts";
import { ApiError } from "../api/api-error.ts";
import { mayRead, type Session } from "../api/session.ts";
import { LiveValue } from "./live-value.ts";

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
  readonly peers: LiveValue<ReadonlyMap<string, PeerView>>;
  readonly stats: LiveValue<TaskStats>;
  readonly recent: LiveValue<RecentTasks>;
  readonly failures: LiveValue<FailuresView>;
  readonly readiness: LiveValue<Readiness>;
  /** Null: the token may not read it. */
  readonly storage: LiveValue<StorageView> | null;

  constructor({ api, caller }: Session) {
    this.peers = new LiveValue(async (signal) => {
      const peers = new Map<string, PeerView>();
      let cursor: string | undefined;
      do {
        const query = { limit: PAGE_MAX, cursor };
        const page: PeerPage = await api.get("/v1/peers", query, signal);
        for (const peer of page.peers) peers.set(peer.id, peer);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return peers;
    }, 2_000);
    this.stats = new LiveValue((signal) => api.get("/v1/tasks/stats", {}, signal), 2_000);
    this.recent = new LiveValue(async (signal) => {
      const page: TaskPage = await api.get("/v1/tasks", { limit: PAGE_MAX }, signal);
      const oldest = page.next_cursor === null ? null : (page.tasks.at(-1)?.created_at ?? null);
      return { tasks: page.tasks, knownSince: oldest === null ? null : Date.parse(oldest) };
    }, 3_000);
    this.failures = new LiveValue((signal) => api.get("/v1/tasks/failures", {}, signal), 10_000);
    this.readiness = new LiveValue(async (signal) => {
      try {
        await api.get("/readyz", {}, signal);
        return { shortage: null };
      } catch (error) {
        if (error instanceof ApiError && error.status === 503) return { shortage: error.message };
        throw error;
      }
    }, 10_000);
    this.storage = mayRead(caller)
      ? new LiveValue((signal) => api.get("/v1/mesh/storage", {}, signal), 15_000)
      : null;
  }
}
