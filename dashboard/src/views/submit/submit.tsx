import { useMemo, useState } from "preact/hooks";
import type { TaskView } from "../../../../src/protocol/http.ts";
import {
  TASK_ATTEMPTS_DEFAULT,
  TASK_DEADLINE_DEFAULT,
} from "../../../../src/protocol/task-limits.ts";
import { goTo, place } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { faultOf } from "../../model/json-value.ts";
import { randomHex } from "../../model/random-hex.ts";
import { EMPTY_REQUEST, requestText, type TaskForm } from "../../model/task-form.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { notify } from "../../ui/notices.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";

/** Submits one task by hand. */
export const Submit = () => {
  const { session, mesh } = useData();
  const peers = useLive(mesh.peers).value;
  const [form, setForm] = useState<TaskForm>(() => ({ ...EMPTY_REQUEST, ...prefilled() }));
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
  const submit = useAct(async () => {
    const text = requestText(form);
    const task: TaskView = await session.api.send("POST", "/v1/tasks", { text, idempotencyKey });
    notify("The task is submitted.");
    goTo(["tasks", task.id]);
  });

  return (
    <Page title="Submit a task">
      <form class="form" onSubmit={submit.submit}>
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
            <Input
              label="Required labels"
              hint="Separated by spaces: gpu memory_gib>=16"
              spellcheck={false}
              autoComplete="off"
              value={form.labels}
              onChange={(value) => set({ labels: value })}
            />
            <Input
              label="Only this peer"
              hint="Its ID; empty: the best peer."
              spellcheck={false}
              autoComplete="off"
              value={form.peer}
              onChange={(value) => set({ peer: value })}
            />
          </div>
          <div class="field-row">
            <Input
              label="Priority"
              type="number"
              value={form.priority}
              onChange={(value) => set({ priority: value })}
            />
            <Input
              label="Attempts"
              type="number"
              min={1}
              placeholder={String(TASK_ATTEMPTS_DEFAULT)}
              value={form.attempts}
              onChange={(value) => set({ attempts: value })}
            />
            <Input
              label="Deadline, in seconds"
              type="number"
              min={1}
              placeholder={String(TASK_DEADLINE_DEFAULT / 1_000)}
              value={form.deadline}
              onChange={(value) => set({ deadline: value })}
            />
          </div>
        </Panel>
        <Failure error={submit.error} />
        <div class="actions">
          <Button type="submit" kind="primary" busy={submit.busy} disabled={fault !== null}>
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

const newKey = (): string => randomHex(16);
