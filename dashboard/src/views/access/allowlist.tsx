import { useState } from "preact/hooks";
import type { AllowEntry } from "../../../../src/protocol/http.ts";
import type { Allowlist as Answer } from "../../api/answers.ts";
import { mayAdminister } from "../../api/session.ts";
import { useQuery } from "../../live/use-query.ts";
import { counted, line, shortId } from "../../model/format.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Head } from "../../ui/head.tsx";
import { notify } from "../../ui/notices.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";
import { PeerLink } from "../peers/columns.tsx";
import { ROLE_OPTIONS, rolesOf } from "./roles.ts";

const PAUSE_MS = 5_000;
/** The rest is found by the command line. */
const SHOWN_MAX = 500;

/** The keys that may join. */
export const Allowlist = () => {
  const { api, caller } = useData().session;
  const { value, error, refresh } = useQuery<Answer>("/v1/allowlist", {}, PAUSE_MS);
  const [dialog, confirm] = useConfirm();
  const isAdmin = mayAdminister(caller);
  const remove = ({ public_key: key, label, peer_id: id }: AllowEntry) =>
    confirm({
      title: `Remove ${label === "" ? shortId(id) : line(label)} from the allowlist?`,
      body: (
        <p>
          If the mesh is closed, its session ends. Its key is not barred, and can be listed again.
        </p>
      ),
      action: "Remove",
      danger: true,
      run: async () => {
        await api.send("DELETE", `/v1/allowlist/${encodeURIComponent(key)}`);
        refresh();
        return "The key is removed.";
      },
    });
  return (
    <Panel
      title="Allowlist"
      aside={value !== null && <span class="quiet">{counted(value.entries.length, "key")}</span>}
    >
      {value === null && <Loading error={error} />}
      {value?.entries.length === 0 && <p class="quiet">No key is listed.</p>}
      {value !== null && value.entries.length > 0 && (
        <table class="plain">
          <Head texts={["Peer", "Label", "Roles", "Added"]} hasActions={isAdmin} />
          <tbody>
            {value.entries.slice(0, SHOWN_MAX).map((entry) => (
              <tr key={entry.public_key}>
                <th scope="row" class="mono">
                  <PeerLink id={entry.peer_id} name="" />
                </th>
                <td>{entry.label === "" ? "–" : line(entry.label)}</td>
                <td>{entry.roles.join(", ")}</td>
                <td>
                  <Ago at={entry.added_at} />
                </td>
                {isAdmin && (
                  <td class="figure">
                    <Button onClick={() => remove(entry)}>Remove</Button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {value !== null && value.entries.length > SHOWN_MAX && (
        <p class="quiet">The first {SHOWN_MAX}. `muster allowlist list` has them all.</p>
      )}
      {isAdmin && <AllowKey onDone={refresh} />}
      {dialog}
    </Panel>
  );
};

const AllowKey = ({ onDone }: { readonly onDone: () => void }) => {
  const { api } = useData().session;
  const [key, setKey] = useState("");
  const [label, setLabel] = useState("");
  const [role, setRole] = useState("worker");
  const allow = useAct(async () => {
    await api.send("PUT", `/v1/allowlist/${encodeURIComponent(key.trim())}`, {
      json: { label, roles: rolesOf(role) },
    });
    notify("The key is listed.");
    setKey("");
    setLabel("");
    onDone();
  });
  return (
    <details class="create">
      <summary>Add a key</summary>
      <form class="form" onSubmit={allow.submit}>
        <div class="field-row">
          <Input
            label="Public key"
            hint="64 hex characters; `muster keygen` prints it."
            required
            spellcheck={false}
            autoComplete="off"
            value={key}
            onChange={setKey}
          />
          <Input label="Label" autoComplete="off" value={label} onChange={setLabel} />
          <Field label="Role">
            {() => <Select label="Role" value={role} options={ROLE_OPTIONS} onChange={setRole} />}
          </Field>
        </div>
        <Failure error={allow.error} />
        <div class="actions">
          <Button type="submit" kind="primary" busy={allow.busy}>
            Add the key
          </Button>
        </div>
      </form>
    </details>
  );
};
