import { useMemo } from "preact/hooks";
import type { Query } from "../api/mesh-api.ts";
import { useData } from "../views/data.ts";
import { LiveValue, type LiveState, type Told } from "./live-value.ts";
import { useLive } from "./use-live.ts";

type About = Omit<Told<never>, "feed" | "patch">;
type Queried<T> = LiveState<T> & { readonly refresh: () => void };

/**
 * The answer to a request, which is repeated while the component is shown. Null: nothing is asked for.
 *
 * @param about what the mesh tells of changes to the answer; default: nothing
 */
export function useQuery<T>(
  path: string | null,
  query: Query,
  pauseMs: number,
  about?: About,
): Queried<T> {
  const {
    session: { api },
    mesh: { events },
  } = useData();
  const live = useMemo(
    () =>
      path === null
        ? null
        : new LiveValue<T>(
            (signal) => api.get(path, query, signal),
            pauseMs,
            about === undefined ? null : { feed: events, ...about },
          ),
    [api, path, JSON.stringify(query)],
  );
  return { ...useLive(live), refresh: () => live?.refresh() };
}
