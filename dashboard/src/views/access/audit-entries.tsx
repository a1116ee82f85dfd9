import { useState } from "preact/hooks";
import type { AuditPage } from "../../api/answers.ts";
import { messageOf } from "../../api/api-error.ts";
import { useQuery } from "../../live/use-query.ts";
import { line, shortId } from "../../model/format.ts";
import { hashOf } from "../../model/route.ts";
import { Button } from "../../ui/button.tsx";
import { Head } from "../../ui/head.tsx";
import { Loading } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";

const PAGE = 50;
const PAUSE_MS = 5_000;

/** The newest entries of the audit log, of one subject or of all. */
export const AuditEntries = ({ subject }: { readonly subject?: string }) => {
  const { api } = useData().session;
  const query = { limit: PAGE, ...(subject !== undefined && { subject }) };
  const { value, error } = useQuery<AuditPage>("/v1/audit", query, PAUSE_MS);
  const [older, setOlder] = useState<AuditPage | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  if (value === null) return <Loading error={error} />;
  const cursor = (older ?? value).next_cursor;
  const loadOlder = async (): Promise<void> => {
    try {
      const next = await api.get<AuditPage>("/v1/audit", { ...query, cursor: cursor ?? undefined });
      setOlder({ ...next, entries: [...(older?.entries ?? []), ...next.entries] });
      setFailed(null);
    } catch (thrown) {
      setFailed(messageOf(thrown));
    }
  };
  const entries = [...value.entries, ...(older?.entries ?? [])];
  if (entries.length === 0) return <p class="quiet">Nothing is in the log.</p>;
  return (
    <>
      <table class="plain audit">
        <Head texts={["When", "Who", "Act", "Subject", "Outcome", "Detail"]} />
        <tbody>
          {entries.map(({ at, last_at: last, count, actor, act, subject: of, outcome, detail }) => (
            <tr key={`${at} ${actor} ${act} ${of} ${outcome}`}>
              <td>
                <Ago at={last} />
                {count > 1 && <span class="quiet"> ({count} times)</span>}
              </td>
              <td>
                <Named id={actor} />
              </td>
              <td>{line(act)}</td>
              <td>
                <Named id={of} />
              </td>
              <td>
                <span class={outcome === "ok" ? "" : "text tone-bad"}>{line(outcome)}</span>
              </td>
              <td class="quiet mono">{detailText(detail)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {failed !== null && <p class="error">{failed}</p>}
      {cursor !== null && (
        <p class="foot">
          <Button onClick={() => void loadOlder()}>Load older entries</Button>
        </p>
      )}
    </>
  );
};

/** Actors and subjects are often peers: their IDs are shortened, and lead to them. */
const Named = ({ id }: { readonly id: string }) => {
  const peer = /^(?:peer:)?([0-9a-f]{32})$/.exec(id)?.[1];
  if (peer === undefined) return <span class="mono wrap-anywhere">{line(id)}</span>;
  return (
    <a class="mono" href={hashOf(["peers", peer])} title={peer}>
      {shortId(peer)}
    </a>
  );
};

const detailText = (detail: Readonly<Record<string, unknown>>): string =>
  Object.entries(detail)
    .map(([name, value]) =>
      line(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`),
    )
    .join(" ");
