/** A task's time from its submission to its end, as bars: each attempt where it was, the rest is waiting. */
import type { AttemptView } from "../../../src/protocol/http.ts";

export interface Span {
  readonly attempt: AttemptView;
  /** From 0 (submitted) to 1 (ended, or now). */
  readonly from: number;
  readonly to: number;
}

export function timelineOf(
  { created_at, ended_at }: { readonly created_at: string; readonly ended_at: string | null },
  attempts: readonly AttemptView[],
  now: number,
): readonly Span[] {
  const start = Date.parse(created_at);
  const end = Math.max(start + 1, ended_at === null ? now : Date.parse(ended_at));
  const place = (at: number): number => Math.min(1, Math.max(0, (at - start) / (end - start)));
  return attempts.map((attempt) => ({
    attempt,
    from: place(Date.parse(attempt.started_at)),
    to: place(attempt.ended_at === null ? end : Date.parse(attempt.ended_at)),
  }));
}
