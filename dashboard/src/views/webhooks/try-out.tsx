import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { DryRunView, WebhookSourceView } from "../../../../src/protocol/http.ts";
import { deliver } from "../../api/deliver.ts";
import { memberText } from "../../model/json-value.ts";
import { randomHex } from "../../model/random-hex.ts";
import { headersOf, sampleEvent } from "../../model/webhook-samples.ts";
import { signatureHeaders } from "../../model/webhook-signing.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";
import { Checked, Delivered } from "./try-out-result.tsx";
import { sourcePath } from "./source-list.ts";

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);
const newId = (): string => randomHex(12);
/** Browsers sign only on pages that came over TLS or from this machine. */
const canSign = (): boolean => isSecureContext;

/** Sends a sample event as the sender of the source would, signed in the browser. The secret is in the memory of this form only. */
export const TryOut = ({ source }: { readonly source: WebhookSourceView }) => {
  const { name, scheme } = source;
  const { api, clockOffset } = useData().session;
  const [secret, setSecret] = useState("");
  const [sample, setSample] = useState(() => sampleEvent(scheme, newId(), nowSeconds()));
  const [result, setResult] = useState<ComponentChildren>(null);

  /** The headers of the sample, with its signature if there is a secret. */
  const headers = async (): Promise<Readonly<Record<string, string>>> => {
    const given = headersOf(sample.headers);
    if (secret === "") return given;
    const seconds = Math.floor((Date.now() + clockOffset) / 1_000);
    const signed = { body: sample.body, id: `sample_${newId()}`, seconds };
    return { ...given, ...(await signatureHeaders(source, secret, signed)) };
  };
  const send = useAct(async () => {
    setResult(null);
    const view = await deliver(name, await headers(), sample.body);
    setResult(<Delivered view={view} />);
  });
  const check = useAct(async () => {
    setResult(null);
    const json = { body: sample.body, headers: await headers() };
    const answer = await api.text("POST", `${sourcePath(name)}/test`, { json });
    const payload = memberText(memberText(answer, "task") ?? "", "payload");
    setResult(<Checked run={JSON.parse(answer) as DryRunView} payload={payload} />);
  });

  return (
    <Panel title="Try it out">
      <form class="form" onSubmit={send.submit}>
        <p class="quiet">
          {canSign()
            ? "The event is signed in your browser and sent to the source, as its sender would do. The secret is neither stored nor sent. A task that it becomes is a real one."
            : "This page came without TLS, so your browser can't sign: events can be checked, and not sent."}
        </p>
        {canSign() && (
          <Input
            label="Secret of the source"
            type="password"
            hint="The mesh does not show it. With a wrong one you see how a delivery is refused."
            required
            autoComplete="off"
            value={secret}
            onChange={setSecret}
          />
        )}
        <Text
          label="Event"
          rows={12}
          value={sample.body}
          onChange={(body) => setSample({ ...sample, body })}
        />
        <Text
          label="Headers"
          hint="One NAME: VALUE in each line. Those of the signature are added."
          rows={3}
          value={sample.headers}
          onChange={(text) => setSample({ ...sample, headers: text })}
        />
        <div class="actions">
          {canSign() && (
            <Button type="submit" kind="primary" busy={send.busy}>
              Send to the source
            </Button>
          )}
          <Button onClick={check.start} busy={check.busy}>
            Check without sending
          </Button>
          <Button onClick={() => setSample(sampleEvent(scheme, newId(), nowSeconds()))}>
            New sample
          </Button>
        </div>
        <Failure error={send.error} />
        <Failure error={check.error} />
      </form>
      <div role="status">{result}</div>
    </Panel>
  );
};

interface TextProps {
  readonly label: string;
  readonly hint?: string;
  readonly rows: number;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const Text = ({ label, hint, rows, value, onChange }: TextProps) => (
  <Field label={label} hint={hint}>
    {(id) => (
      <textarea
        id={id}
        rows={rows}
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    )}
  </Field>
);
