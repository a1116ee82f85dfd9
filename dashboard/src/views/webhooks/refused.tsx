import { useEffect, useState } from "preact/hooks";
import type { RefusedDelivery, RefusedList } from "../../../../src/protocol/http.ts";
import { useQuery } from "../../live/use-query.ts";
import { bytes, count, counted, line } from "../../model/format.ts";
import { remedyIn } from "../../model/webhook-log.ts";
import { Facts } from "../../ui/facts.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { sourcePath } from "./source-list.ts";

/** The mesh counts refusals for 2 s before they are in the list. */
const PAUSE_MS = 2_000;

/** The deliveries that were refused, by reason, each with what to do about it. */
export const Refused = ({ name }: { readonly name: string }) => {
  const path = `${sourcePath(name)}/refused`;
  const { value, error } = useQuery<RefusedList>(path, {}, PAUSE_MS);
  const unknown = value?.unknown_sources ?? null;
  return (
    <Panel title="Refused in 7 days">
      {value === null && <Loading error={error} />}
      {value !== null && error !== null && <p class="error">{error}</p>}
      {value?.refused.length === 0 && <p class="quiet">No delivery was refused.</p>}
      {value?.refused.map((entry) => (
        <RefusedEntry key={entry.id} entry={entry} name={name} />
      ))}
      {unknown !== null && (
        <p class="quiet">
          {counted(unknown.count, "delivery", "deliveries")} went to names that no source of this
          mesh has, the last one <Ago at={unknown.last_at} />: look for a typing error in the URL at
          the sender.
        </p>
      )}
    </Panel>
  );
};

interface RefusedEntryProps {
  readonly entry: RefusedDelivery;
  readonly name: string;
}

const RefusedEntry = ({ entry, name }: RefusedEntryProps) => {
  const remedy = useRemedy(entry.code, name);
  return (
    <section class="refusal" aria-label={line(entry.code)}>
      <p class="facts-line">
        <strong class="mono">{line(entry.code)}</strong>
        <span>status {entry.status}</span>
        <span>{entry.count === 1 ? "once" : `${count(entry.count)} times`}</span>
        <Ago at={entry.last_at} />
      </p>
      <p>{line(entry.detail)}</p>
      {entry.in_deliveries && (
        <p class="quiet">
          The signature was valid: each of them is in the list of deliveries, too.
        </p>
      )}
      {remedy !== null && <p class="quiet">What to do: {line(remedy)}</p>}
      <details>
        <summary>The newest of them</summary>
        <Facts
          facts={[
            ["Method", line(entry.method)],
            ["From", entry.address === null ? "unknown" : line(entry.address)],
            ["Size", entry.bytes === null ? "not stated" : bytes(entry.bytes)],
            ...Object.entries(entry.headers).map(
              ([header, value]) => [line(header), line(value)] as const,
            ),
          ]}
        />
      </details>
    </section>
  );
};

/** What the mesh's troubleshooting page says to do about a code; null until it is known. */
function useRemedy(code: string, name: string): string | null {
  const { api } = useData().session;
  const [remedy, setRemedy] = useState<string | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    const path = `/troubleshooting/${encodeURIComponent(code)}`;
    api.text("GET", path, { signal: ended.signal }).then(
      (entry) => setRemedy(remedyIn(entry, name)),
      // The reason is shown without it.
      () => {},
    );
    return () => ended.abort();
  }, [api, code, name]);
  return remedy;
}
