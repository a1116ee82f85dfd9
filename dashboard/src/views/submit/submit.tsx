import { useMemo, useState } from "preact/hooks";
import type { TaskView } from "../../../../src/protocol/http.ts";
import {
  TASK_ATTEMPTS_DEFAULT,
  TASK_DEADLINE_DEFAULT,
} from "../../../../src/protocol/task-limits.ts";
import { messageOf } from "../../api/api-error.ts";
import { goTo, place } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { faultOf } from "../../model/json-value.ts";
import { EMPTY_REQUEST, requestText, type TaskForm } from "../../model/task-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { notify } from "../../ui/notices.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";

/** Submits one task by hand. */
export const Submit = () => {
  const { session, mesh } = useData();
  const peers = useLive(mesh.peers).value;
  const [form, setForm] = useState<TaskForm>(() => ({ ...EMPTY_REQUEST, ...prefilled() }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  // The same task however often the button is pressed, until the form changes.
  const idempotencyKey = useMemo(() => newKey(), [form]);
  const kinds = useMemo(
    () =>
      [
        ...new Set(
          [...(peers?.values() ?? [])].flatMap(({ connected, kinds: of }) => (connected ? of : [])),
        ),
      ]
        .filter((kind) => kind !== "*")
        .toSorted(),
    [peers],
  );

  const set = (changed: Partial<TaskForm>) => setForm({ ...form, ...changed });
  const fault = form.payload.trim() === "" ? null : faultOf(form.payload);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const text = requestText(form);
      const task: TaskView = await session.api.send("POST", "/v1/tasks", { text, idempotencyKey });
      notify("The task is submitted.");
      goTo(["tasks", task.id]);
    } catch (failed) {
      setError(messageOf(failed));
      setBusy(false);
    }
  };

  return (
    <Page title="Submit a task">
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Panel title="Task">
          <Field label="Kind" hint="Peers say which kinds they handle.">
            {(id) => (
              <>
                <input
                  id={id}
                  list={`${id}-kinds`}
                  required
                  spellcheck={false}
                  autoComplete="off"
                  value={form.kind}
                  onInput={({ currentTarget }) => set({ kind: currentTarget.value })}
                />
                <datalist id={`${id}-kinds`}>
                  {kinds.map((kind) => (
                    <option key={kind} value={kind} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field label="Payload" hint={fault === null ? "Any JSON; empty stands for null." : fault}>
            {(id) => (
              <textarea
                id={id}
                rows={10}
                spellcheck={false}
                aria-invalid={fault !== null}
                value={form.payload}
                onInput={({ currentTarget }) => set({ payload: currentTarget.value })}
              />
            )}
          </Field>
        </Panel>
        <Panel title="Where and how">
          <div class="field-row">
            <Field label="Required labels" hint="Separated by spaces: gpu memory_gib>=16">
              {(id) => (
                <input
                  id={id}
                  spellcheck={false}
                  autoComplete="off"
                  value={form.labels}
                  onInput={({ currentTarget }) => set({ labels: currentTarget.value })}
                />
              )}
            </Field>
            <Field label="Only this peer" hint="Its ID; empty: the best peer.">
              {(id) => (
                <input
                  id={id}
                  spellcheck={false}
                  autoComplete="off"
                  value={form.peer}
                  onInput={({ currentTarget }) => set({ peer: currentTarget.value })}
                />
              )}
            </Field>
          </div>
          <div class="field-row">
            <Field label="Priority">
              {(id) => (
                <input
                  id={id}
                  type="number"
                  value={form.priority}
                  onInput={({ currentTarget }) => set({ priority: currentTarget.value })}
                />
              )}
            </Field>
            <Field label="Attempts">
              {(id) => (
                <input
                  id={id}
                  type="number"
                  min={1}
                  placeholder={String(TASK_ATTEMPTS_DEFAULT)}
                  value={form.attempts}
                  onInput={({ currentTarget }) => set({ attempts: currentTarget.value })}
                />
              )}
            </Field>
            <Field label="Deadline, in seconds">
              {(id) => (
                <input
                  id={id}
                  type="number"
                  min={1}
                  placeholder={String(TASK_DEADLINE_DEFAULT / 1_000)}
                  value={form.deadline}
                  onInput={({ currentTarget }) => set({ deadline: currentTarget.value })}
                />
              )}
            </Field>
          </div>
        </Panel>
        {error !== null && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <div class="actions">
          <Button type="submit" kind="primary" busy={busy} disabled={fault !== null}>
            Submit
          </Button>
        </div>
      </form>
    </Page>
  );
};

/** What a link to this view has filled in. */
function prefilled(): Partial<TaskForm> {
  const { kind = "", payload = "" } = place.peek().query;
  return { kind, payload };
}

const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
