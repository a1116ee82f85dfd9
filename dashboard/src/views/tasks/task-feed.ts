/** The list of tasks that meet a filter: the newest page is kept up to date, older ones are loaded when they are asked for. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { TaskSummary } from "../../../../src/protocol/http.ts";
import type { TaskPage } from "../../api/answers.ts";
import { messageOf } from "../../api/api-error.ts";
import { isOfTask } from "../../live/mesh-data.ts";
import { LiveValue } from "../../live/live-value.ts";
import { useLive } from "../../live/use-live.ts";
import { useData } from "../data.ts";

const PAGE = 200;

export interface TaskFilter {
  readonly state: string;
  readonly kind: string;
  readonly peer: string;
}

/** The filter in the words of the API. */
export const queryOf = ({ state, kind, peer }: TaskFilter) => ({
  ...(state !== "" && { state }),
  ...(kind !== "" && { kind }),
  ...(peer !== "" && { peer_id: peer }),
});

interface Feed {
  /** Null until they are loaded. */
  readonly tasks: readonly TaskSummary[] | null;
  readonly error: string | null;
  /** Loads older tasks; null if there are none. */
  readonly loadOlder: (() => void) | null;
  readonly refresh: () => void;
}

interface Older {
  readonly tasks: readonly TaskSummary[];
  /** Null: these are the oldest. */
  readonly cursor: string | null;
}

export function useTaskFeed(filter: TaskFilter): Feed {
  const {
    session: { api },
    mesh: { events },
  } = useData();
  const name = JSON.stringify(queryOf(filter));
  const [older, setOlder] = useState<Older | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const page = useMemo(
    () =>
      new LiveValue<TaskPage>(
        (signal) => api.get("/v1/tasks", { ...queryOf(filter), limit: PAGE }, signal),
        2_000,
        { feed: events, isAbout: isOfTask },
      ),
    [api, name],
  );
  useEffect(() => setOlder(null), [name]);
  const { value, error } = useLive(page);

  const tasks = useMemo(() => merged(value?.tasks ?? null, older?.tasks ?? []), [value, older]);
  const cursor = older === null ? (value?.next_cursor ?? null) : older.cursor;
  const loadOlder = async (): Promise<void> => {
    try {
      const query = { ...queryOf(filter), limit: PAGE, cursor: cursor ?? undefined };
      const next = await api.get<TaskPage>("/v1/tasks", query);
      const before = older?.tasks ?? value?.tasks ?? [];
      setOlder({ tasks: [...before, ...next.tasks], cursor: next.next_cursor });
      setFailed(null);
    } catch (thrown) {
      setFailed(messageOf(thrown));
    }
  };
  return {
    tasks,
    error: error ?? failed,
    loadOlder: cursor === null ? null : () => void loadOlder(),
    refresh: () => page.refresh(),
  };
}

/** A task that is in both is shown as the newest page has it. */
function merged(
  newest: readonly TaskSummary[] | null,
  older: readonly TaskSummary[],
): readonly TaskSummary[] | null {
  if (newest === null) return null;
  const known = new Set(newest.map(({ id }) => id));
  return [...newest, ...older.filter(({ id }) => !known.has(id))];
}
