import type { DenyEntry } from "../../../../src/protocol/http.ts";
import type { DenyPage } from "../../api/answers.ts";
import { mayAdminister } from "../../api/session.ts";
import { useQuery } from "../../live/use-query.ts";
import { line } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { PeerLink } from "../peers/columns.tsx";

const PAUSE_MS = 5_000;
const PAGE_MAX = 500;

/** The keys that are barred. */
export const Denylist = () => {
  const { api, caller } = useData().session;
  const { value, error, refresh } = useQuery<DenyPage>(
    "/v1/denylist",
    { limit: PAGE_MAX },
    PAUSE_MS,
  );
  const [dialog, confirm] = useConfirm();
  const isAdmin = mayAdminister(caller);
  const lift = ({ peer_id: id }: DenyEntry) =>
    confirm({
      title: "Lift this revocation?",
      body: <p>The key may join again: any peer if the mesh is open, else once it is listed.</p>,
      action: "Lift",
      run: async () => {
        await api.send("DELETE", `/v1/denylist/${encodeURIComponent(id)}`);
        refresh();
        return "The revocation is lifted.";
      },
    });
  return (
    <Panel title="Barred keys">
      {value === null && <Loading error={error} />}
      {value?.entries.length === 0 && <p class="quiet">No key is barred.</p>}
      {value !== null && value.entries.length > 0 && (
        <table class="plain">
          <Head texts={["Peer", "Reason", "Since", "By"]} hasActions={isAdmin} />
          <tbody>
            {value.entries.map((entry) => (
              <tr key={entry.peer_id}>
                <th scope="row" class="mono">
                  <PeerLink id={entry.peer_id} name="" />
                </th>
                <td>{entry.reason}</td>
                <td>
                  <Ago at={entry.denied_at} />
                </td>
                <td class="mono">{entry.denied_by === null ? "–" : line(entry.denied_by)}</td>
                {isAdmin && (
                  <td class="figure">
                    {entry.reason === "revoked" && (
                      <Button onClick={() => lift(entry)}>Lift</Button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {value !== null && value.next_cursor !== null && (
        <p class="quiet">The first {PAGE_MAX}. `muster denylist list` has them all.</p>
      )}
      {dialog}
    </Panel>
  );
};
