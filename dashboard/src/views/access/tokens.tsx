import { useState } from "preact/hooks";
import type { TokenView } from "../../../../src/protocol/http.ts";
import type { NewToken, TokenPage } from "../../api/answers.ts";
import { useQuery } from "../../live/use-query.ts";
import { line } from "../../model/format.ts";
import { SCOPE_OPTIONS } from "../../model/scopes.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { CopiedText } from "../../ui/copied-text.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Head } from "../../ui/head.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { Ago } from "../../ui/time.tsx";
import { useData } from "../data.ts";

const PAUSE_MS = 5_000;
const PAGE_MAX = 500;
const DAY_SECONDS = 86_400;
const PATH = "/v1/tokens";

/** API tokens. */
export const Tokens = () => {
  const { api } = useData().session;
  const { value, error, refresh } = useQuery<TokenPage>(PATH, { limit: PAGE_MAX }, PAUSE_MS);
  const [dialog, confirm] = useConfirm();
  const revoke = ({ id, prefix }: TokenView) =>
    confirm({
      title: `Revoke the token ${prefix}…?`,
      body: (
        <p>It grants nothing any more, and the tasks that were submitted with it are cancelled.</p>
      ),
      action: "Revoke",
      danger: true,
      run: async () => {
        await api.send("DELETE", `${PATH}/${encodeURIComponent(id)}`);
        refresh();
        return "The token is revoked.";
      },
    });
  return (
    <Panel title="API tokens">
      <CreateToken onDone={refresh} />
      {value === null && <Loading error={error} />}
      {value?.tokens.length === 0 && <p class="quiet">Only the admin token exists.</p>}
      {value !== null && value.tokens.length > 0 && (
        <table class="plain">
          <Head
            texts={["Token", "Label", "Scope", "State"]}
            figures={["Last used", "Expires"]}
            hasActions
          />
          <tbody>
            {value.tokens.map((token) => (
              <tr key={token.id}>
                <th scope="row" class="mono">
                  {token.prefix}…
                </th>
                <td>{token.label === "" ? "–" : line(token.label)}</td>
                <td>{token.scope}</td>
                <td>
                  <State of={token.state} />
                </td>
                <td class="figure">
                  {token.last_used_at === null ? "never" : <Ago at={token.last_used_at} />}
                </td>
                <td class="figure">
                  {token.expires_at === null ? "never" : <Ago at={token.expires_at} />}
                </td>
                <td class="figure">
                  {token.state === "active" && (
                    <Button onClick={() => revoke(token)}>Revoke</Button>
                  )}
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

const CreateToken = ({ onDone }: { readonly onDone: () => void }) => {
  const { api } = useData().session;
  const [label, setLabel] = useState("");
  const [scope, setScope] = useState("viewer");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<NewToken | null>(null);
  const create = useAct(async () => {
    const expiry = days.trim() === "" ? {} : { expires_seconds: Number(days) * DAY_SECONDS };
    setMade(await api.send("POST", PATH, { json: { label, scope, ...expiry } }));
    onDone();
  });
  if (made !== null)
    return (
      <div class="made">
        <div class="made-text">
          <p>
            <strong>The token is shown only now.</strong> The mesh keeps no copy of it.
          </p>
          <CopiedText text={made.token} label="the token" />
          <div class="actions">
            <Button onClick={() => setMade(null)}>Done</Button>
          </div>
        </div>
      </div>
    );
  return (
    <form class="form" onSubmit={create.submit}>
      <div class="field-row">
        <Input
          label="Label"
          autoComplete="off"
          placeholder="ci"
          value={label}
          onChange={setLabel}
        />
        <Field label="Scope">
          {() => <Select label="Scope" value={scope} options={SCOPE_OPTIONS} onChange={setScope} />}
        </Field>
        <Input
          label="Days"
          type="number"
          min={1}
          placeholder="no end"
          value={days}
          onChange={setDays}
        />
        <Button type="submit" kind="primary" busy={create.busy}>
          Create a token
        </Button>
      </div>
      <Failure error={create.error} />
    </form>
  );
};
