import { useState } from "preact/hooks";
import type { WebhookScheme, WebhookSourceView } from "../../../../src/protocol/http.ts";
import { ApiError } from "../../api/api-error.ts";
import type { MeshApi } from "../../api/mesh-api.ts";
import { faultOf } from "../../model/json-value.ts";
import {
  EMPTY_SOURCE,
  hasHeader,
  newSecret,
  payloadText,
  SCHEME_OPTIONS,
  sendersSecret,
  sourceText,
  type SourceForm,
} from "../../model/webhook-form.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";
import { MadeSource, type Made } from "./made-source.tsx";
import { sourcePath } from "./source-list.ts";

const SECRET_BYTES = 32;
const ENCODINGS = [
  ["hex", "Hex"],
  ["base64", "Base64"],
] as const;

/** Creates a source, and shows what its sender needs. */
export const NewSource = ({ onDone }: { readonly onDone: () => void }) => {
  const { api } = useData().session;
  const [made, setMade] = useState<Made | null>(null);
  if (made !== null)
    return (
      <Panel title="New source">
        <MadeSource made={made} onClose={() => setMade(null)} />
      </Panel>
    );
  const create = async (form: SourceForm): Promise<void> => {
    await expectNew(api, form.name.trim());
    const given = form.secret;
    const random = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
    const secret = given === "" ? newSecret(form.scheme, random) : given;
    const path = sourcePath(form.name.trim());
    const text = sourceText(form, secret);
    const source: WebhookSourceView = await api.send("PUT", path, { text });
    setMade({ source, secret: given === "" ? secret : null });
    onDone();
  };
  return (
    <Panel title="New source">
      <details class="create">
        <summary>Create a source</summary>
        <SourceFields onCreate={create} />
      </details>
    </Panel>
  );
};

/** The request that creates a source would replace one that exists, with its secret. */
async function expectNew(api: MeshApi, name: string): Promise<void> {
  try {
    await api.get(sourcePath(name));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return;
    throw error;
  }
  throw new Error(`The source ${name} exists already. Choose another name, or remove it first.`);
}

const SourceFields = ({ onCreate }: { readonly onCreate: (form: SourceForm) => Promise<void> }) => {
  const [form, setForm] = useState(EMPTY_SOURCE);
  const set = (changed: Partial<SourceForm>) => setForm({ ...form, ...changed });
  const create = useAct(() => onCreate(form));
  const payloadFault = optionalFault(payloadText(form.payload));
  const filtersFault = optionalFault(form.filters);
  const whoseSecret = sendersSecret(form.scheme);
  return (
    <form class="form" onSubmit={create.submit}>
      <div class="field-row">
        <Input
          label="Name"
          hint="Part of the URL: small letters, digits and dashes."
          required
          spellcheck={false}
          autoComplete="off"
          placeholder="ci"
          value={form.name}
          onChange={(name) => set({ name })}
        />
        <Field label="Sender signs as">
          {() => (
            <Select
              label="Sender signs as"
              value={form.scheme}
              options={SCHEME_OPTIONS}
              onChange={(scheme) => set({ scheme: scheme as WebhookScheme })}
            />
          )}
        </Field>
        <Input
          label="Secret"
          type="password"
          hint={whoseSecret ?? "Empty: one is made, and shown once."}
          required={whoseSecret !== null}
          autoComplete="off"
          value={form.secret}
          onChange={(secret) => set({ secret })}
        />
      </div>
      {hasHeader(form.scheme) && <SignatureFields form={form} set={set} />}
      <Input
        label="Kind of the tasks"
        hint="A word, or a JSON path into the event such as $.type."
        required
        spellcheck={false}
        autoComplete="off"
        placeholder="build"
        value={form.kind}
        onChange={(kind) => set({ kind })}
      />
      <JsonField
        label="Payload of the tasks"
        hint="JSON, in which strings that begin with $ are JSON paths into the event. Empty: the whole event."
        fault={payloadFault}
        value={form.payload}
        onChange={(payload) => set({ payload })}
      />
      <JsonField
        label="Filters"
        hint='JSON such as [{"header": "x-github-event", "equals": "push"}]. Events for which one of them does not hold make no task.'
        fault={filtersFault}
        value={form.filters}
        onChange={(filters) => set({ filters })}
      />
      <p class="quiet">
        Defaults, requirements, callbacks, limits and what identifies a delivery:{" "}
        <code>muster webhook update NAME</code>.
      </p>
      <Failure error={create.error} />
      <div class="actions">
        <Button
          type="submit"
          kind="primary"
          busy={create.busy}
          disabled={payloadFault !== null || filtersFault !== null}
        >
          Create the source
        </Button>
      </div>
    </form>
  );
};

const optionalFault = (text: string): string | null => (text.trim() === "" ? null : faultOf(text));

interface SignatureFieldsProps {
  readonly form: SourceForm;
  readonly set: (changed: Partial<SourceForm>) => void;
}

const SignatureFields = ({ form, set }: SignatureFieldsProps) => (
  <div class="field-row">
    <Input
      label="Header with the signature"
      required={form.scheme === "hmac"}
      spellcheck={false}
      autoComplete="off"
      placeholder={form.scheme === "stripe" ? "stripe-signature" : "x-signature"}
      value={form.header}
      onChange={(header) => set({ header })}
    />
    {form.scheme === "hmac" && (
      <>
        <Field label="Encoding">
          {() => (
            <Select
              label="Encoding"
              value={form.encoding}
              options={ENCODINGS}
              onChange={(encoding) => set({ encoding })}
            />
          )}
        </Field>
        <Input
          label="Text before it"
          spellcheck={false}
          autoComplete="off"
          placeholder="sha256="
          value={form.prefix}
          onChange={(prefix) => set({ prefix })}
        />
      </>
    )}
  </div>
);

interface JsonFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly fault: string | null;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const JsonField = ({ label, hint, fault, value, onChange }: JsonFieldProps) => (
  <Field label={label} hint={fault ?? hint}>
    {(id) => (
      <textarea
        id={id}
        rows={3}
        spellcheck={false}
        aria-invalid={fault !== null}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    )}
  </Field>
);
