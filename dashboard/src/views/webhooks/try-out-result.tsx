import type { DeliveryView, DryRunView } from "../../../../src/protocol/http.ts";
import { line } from "../../model/format.ts";
import { outcomeText } from "../../model/webhook-log.ts";
import { JsonText } from "../../ui/json-text.tsx";
import { TaskLink } from "./deliveries.tsx";

/** What the mesh answered to a sample that was sent. */
export const Delivered = ({ view }: { readonly view: DeliveryView | null }) => {
  if (view === null) return <p>Accepted. The list of deliveries says what it became.</p>;
  if (view.task_id === null)
    return <p>Accepted, and made no task: {line(view.filtered ?? "a filter excluded it")}.</p>;
  return (
    <p>
      {view.duplicate
        ? "Accepted as a repetition: an earlier delivery became the task "
        : "Accepted: it became the task "}
      <TaskLink id={view.task_id} />.
    </p>
  );
};

const SIGNATURES: Readonly<Record<NonNullable<DryRunView["signature"]>, string>> = {
  right: "The signature is right.",
  signature_missing: "It would be refused, because it has no signature.",
  signature_invalid: "It would be refused, because the signature does not match.",
  signature_stale: "It would be refused, because it was signed at another time.",
};

interface CheckedProps {
  readonly run: DryRunView;
  /** As the mesh wrote it: `JSON.parse` would round large numbers. */
  readonly payload: string | null;
}

/** What a sample would become. */
export const Checked = ({ run: { outcome, reason, task, signature }, payload }: CheckedProps) => (
  <>
    <p>
      Nothing was sent. By the filters and the mapping it would be{" "}
      <strong>{outcomeText(outcome)}</strong>
      {reason !== null && `: ${line(reason)}`}. {signature !== null && SIGNATURES[signature]}
    </p>
    {task !== null && (
      <>
        <p>
          The task by the mapping has the kind <span class="mono">{line(task.kind)}</span> and this
          payload:
        </p>
        <JsonText label="Payload by the mapping" json={payload ?? "null"} />
      </>
    )}
  </>
);
