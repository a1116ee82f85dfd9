import { useMemo } from "preact/hooks";
import type { Query } from "../api/mesh-api.ts";
import { useData } from "../views/data.ts";
import { LiveValue, type LiveState } from "./live-value.ts";
import { useLive } from "./use-live.ts";

type Queried<T> = LiveState<T> & { readonly refresh: () => void };

/** The answer to a request, which is repeated while the component is shown. Null: nothing is asked for. */
export function useQuery<T>(path: string | null, query: Query, pauseMs: number): Queried<T> {
  const { api } = useData().session;
  const live = useMemo(
    () =>
      path === null ? null : new LiveValue<T>((signal) => api.get(path, query, signal), pauseMs),
    [api, path, JSON.stringify(query)],
  );
  return { ...useLive(live), refresh: () => live?.refresh() };
}
