import type { JoinKeyView } from "../../../../src/protocol/http.ts";
import type { JoinKeys as Answer } from "../../api/answers.ts";
import { clock } from "../../live/clock.ts";
import { useQuery } from "../../live/use-query.ts";
import { count, line } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { NewJoinKey } from "./new-join-key.tsx";

const PAUSE_MS = 5_000;
const PATH = "/v1/join-keys";

/** Keys that let peers in which are not listed yet. */
export const JoinKeys = () => {
  const { api } = useData().session;
  const { value, error, refresh } = useQuery<Answer>(PATH, {}, PAUSE_MS);
  const [dialog, confirm] = useConfirm();
  const revoke = ({ id, prefix }: JoinKeyView) =>
    confirm({
      title: `Revoke the join key ${prefix}…?`,
      body: <p>It admits nobody any more. Peers that joined with it stay listed.</p>,
      action: "Revoke",
      danger: true,
      run: async () => {
        await api.send("DELETE", `${PATH}/${encodeURIComponent(id)}`);
        refresh();
        return "The join key is revoked.";
      },
    });
  const now = clock.value;
  const usable = value?.join_keys.filter((key) => stateOf(key, now) === "active") ?? [];
  return (
    <Panel title="Join keys">
      <NewJoinKey onDone={refresh} />
      {value === null && <Loading error={error} />}
      {value !== null && usable.length === 0 && <p class="quiet">No join key is valid.</p>}
      {usable.length > 0 && (
        <table class="plain">
          <Head texts={["Key", "Label", "Roles"]} figures={["Uses left", "Expires"]} hasActions />
          <tbody>
            {usable.map((key) => (
              <tr key={key.id}>
                <th scope="row" class="mono">
                  {key.prefix}…
                </th>
                <td>{key.label === "" ? "–" : line(key.label)}</td>
                <td>{key.roles.join(", ")}</td>
                <td class="figure">{count(key.uses_left)}</td>
                <td class="figure">
                  <Ago at={key.expires_at} />
                </td>
                <td class="figure">
                  <Button onClick={() => revoke(key)}>Revoke</Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {dialog}
    </Panel>
  );
};

function stateOf({ revoked_at, expires_at, uses_left }: JoinKeyView, now: number): string {
  if (revoked_at !== null) return "revoked";
  if (Date.parse(expires_at) <= now) return "expired";
  return uses_left === 0 ? "used" : "active";
}
