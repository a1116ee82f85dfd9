import { useState } from "preact/hooks";
import type { NewJoinKey as Made } from "../../api/answers.ts";
import { messageOf } from "../../api/api-error.ts";
import { count } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { CopiedText } from "../../ui/copied-text.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { QrCode } from "../../ui/qr-code.tsx";
import { useData } from "../data.ts";
import { ROLE_OPTIONS, rolesOf } from "./roles.ts";

const DAY_SECONDS = 86_400;
const PATH = "/v1/join-keys";

interface NewJoinKeyProps {
  /** What the peer of the printed command runs for each task. */
  readonly command?: string;
  readonly onDone: () => void;
}

/** Makes a join key, and shows the link and the command by which a peer joins with it. */
export const NewJoinKey = ({ command = "COMMAND", onDone }: NewJoinKeyProps) => {
  const { api } = useData().session;
  const [label, setLabel] = useState("");
  const [role, setRole] = useState("worker");
  const [uses, setUses] = useState("1");
  const [days, setDays] = useState("7");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const json = {
        label,
        roles: rolesOf(role),
        uses: Number(uses),
        expires_seconds: Number(days) * DAY_SECONDS,
      };
      setMade(await api.send("POST", PATH, { json }));
      onDone();
    } catch (failed) {
      setError(messageOf(failed));
    }
    setBusy(false);
  };
  if (made !== null) return <MadeKey made={made} command={command} onClose={() => setMade(null)} />;
  return (
    <form class="form" onSubmit={(event) => void create(event)}>
      <div class="field-row">
        <Field label="Label">
          {(id) => (
            <input
              id={id}
              autoComplete="off"
              placeholder="the lab"
              value={label}
              onInput={({ currentTarget }) => setLabel(currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Role">
          {() => <Select label="Role" value={role} options={ROLE_OPTIONS} onChange={setRole} />}
        </Field>
        <Field label="Peers">
          {(id) => (
            <input
              id={id}
              type="number"
              min={1}
              max={10_000}
              required
              value={uses}
              onInput={({ currentTarget }) => setUses(currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Days">
          {(id) => (
            <input
              id={id}
              type="number"
              min={1}
              max={365}
              required
              value={days}
              onInput={({ currentTarget }) => setDays(currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" kind="primary" busy={busy}>
          Create a join key
        </Button>
      </div>
      {error !== null && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
};

interface MadeKeyProps {
  readonly made: Made;
  readonly command: string;
  readonly onClose: () => void;
}

/** A key is shown once: the mesh keeps no copy of it. */
const MadeKey = ({ made, command, onClose }: MadeKeyProps) => (
  <div class="made">
    <div class="made-text">
      <p>
        <strong>
          This link lets {made.uses_left === 1 ? "one peer" : `${count(made.uses_left)} peers`} in.
        </strong>{" "}
        It is shown only now: whoever has it may join.
      </p>
      <CopiedText text={made.link} label="the link" />
      <p>At the peer:</p>
      <CopiedText
        text={`npx muster-mesh join '${made.link}' --exec '${command}'`}
        label="the command"
      />
      <div class="actions">
        <Button onClick={onClose}>Done</Button>
      </div>
    </div>
    <QrCode text={made.link} label="The link as a QR code" />
  </div>
);
