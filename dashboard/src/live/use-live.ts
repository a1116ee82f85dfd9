import { useEffect } from "preact/hooks";
import type { LiveState, LiveValue } from "./live-value.ts";

const NONE: LiveState<never> = { value: null, error: null };

/** The state of a live value, which is kept up to date while the component is shown. Null for a value that the token may not read. */
export function useLive<T>(live: LiveValue<T> | null): LiveState<T> {
  useEffect(() => live?.watch(), [live]);
  return live?.state.value ?? NONE;
}
