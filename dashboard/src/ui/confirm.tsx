/** Asks before an action, shows why it failed, and closes once it is done. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure, useAct } from "./act.tsx";
import { Button } from "./button.tsx";
import { notify } from "./notices.tsx";

export interface Confirmed {
  readonly title: string;
  readonly body: ComponentChildren;
  readonly action: string;
  readonly danger?: boolean;
  /** Does it, and resolves to what is said of it. */
  readonly run: () => Promise<string>;
}

interface ConfirmProps {
  readonly asked: Confirmed;
  readonly onClose: () => void;
}

const Confirm = ({ asked, onClose }: ConfirmProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);

  const confirm = useAct(async () => {
    notify(await asked.run());
    dialog.current?.close();
  });

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{asked.title}</h2>
      <div class="dialog-body">{asked.body}</div>
      <Failure error={confirm.error} />
      <div class="actions end">
        <Button onClick={() => dialog.current?.close()}>Keep as it is</Button>
        <Button
          kind={asked.danger === true ? "danger" : "primary"}
          busy={confirm.busy}
          onClick={confirm.start}
        >
          {asked.action}
        </Button>
      </div>
    </dialog>
  );
};

/** The question that is asked now, and what asks one. */
export function useConfirm(): readonly [ComponentChildren, (asked: Confirmed) => void] {
  const [asked, ask] = useState<Confirmed | null>(null);
  const shown = asked === null ? null : <Confirm asked={asked} onClose={() => ask(null)} />;
  return [shown, ask];
}
