/** The states of peers, tasks, attempts and callbacks, each with the color of what it means to the operator. */

type Tone = "ok" | "busy" | "warn" | "bad" | "idle";

const TONES: Readonly<Record<string, Tone>> = {
  active: "ok",
  suspect: "warn",
  resting: "warn",
  cordoned: "warn",
  draining: "warn",
  discovered: "idle",
  stale: "idle",
  evicted: "idle",
  revoked: "bad",
  queued: "idle",
  leased: "busy",
  running: "busy",
  succeeded: "ok",
  failed: "bad",
  expired: "bad",
  cancelled: "idle",
  offered: "busy",
  prefetched: "busy",
  timed_out: "bad",
  refused: "warn",
  unanswered: "warn",
  lost: "warn",
  abandoned: "warn",
  reclaimed: "idle",
  waiting: "idle",
  pending: "busy",
  delivered: "ok",
  accepted: "ok",
  duplicate: "idle",
  filtered: "idle",
  unmapped: "warn",
  ping: "idle",
  expired_token: "idle",
  open: "bad",
  half_open: "warn",
  does_not_answer: "bad",
  ok: "ok",
};

export const State = ({ of }: { readonly of: string }) => (
  <span class={`state tone-${TONES[of] ?? "idle"}`}>{of.replaceAll("_", " ")}</span>
);

export const toneOf = (state: string): Tone => TONES[state] ?? "idle";
