import { clock } from "../live/clock.ts";
import { ago, duration } from "../model/format.ts";

/** How long ago a time is. The exact time is in its tooltip. */
export const Ago = ({ at }: { readonly at: string | null }) => (
  <time dateTime={at ?? undefined} title={at === null ? undefined : localTime(at)}>
    {ago(at, clock.value)}
  </time>
);

/** The time from `from` to `to`, or until now. */
export const Since = ({ from, to }: { readonly from: string; readonly to: string | null }) => {
  const end = to === null ? clock.value : Date.parse(to);
  return <span class="figure">{duration(end - Date.parse(from))}</span>;
};

const localTime = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
