import { useState } from "preact/hooks";
import type { NewJoinKey as Made } from "../../api/answers.ts";
import { count } from "../../model/format.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { CopiedText } from "../../ui/copied-text.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
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
  const [made, setMade] = useState<Made | null>(null);
  const create = useAct(async () => {
    const json = {
      label,
      roles: rolesOf(role),
      uses: Number(uses),
      expires_seconds: Number(days) * DAY_SECONDS,
    };
    setMade(await api.send("POST", PATH, { json }));
    onDone();
  });
  if (made !== null) return <MadeKey made={made} command={command} onClose={() => setMade(null)} />;
  return (
    <form class="form" onSubmit={create.submit}>
      <div class="field-row">
        <Input
          label="Label"
          autoComplete="off"
          placeholder="the lab"
          value={label}
          onChange={setLabel}
        />
        <Field label="Role">
          {() => <Select label="Role" value={role} options={ROLE_OPTIONS} onChange={setRole} />}
        </Field>
        <Input
          label="Peers"
          type="number"
          min={1}
          max={10_000}
          required
          value={uses}
          onChange={setUses}
        />
        <Input
          label="Days"
          type="number"
          min={1}
          max={365}
          required
          value={days}
          onChange={setDays}
        />
        <Button type="submit" kind="primary" busy={create.busy}>
          Create a join key
        </Button>
      </div>
      <Failure error={create.error} />
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
