/** Something that the user starts and waits for: a form, or a button of its own. */
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-error.ts";

interface Act {
  /** Whether it is under way. */
  readonly busy: boolean;
  /** Why it failed the last time. */
  readonly error: string | null;
  readonly start: () => void;
  /** Starts it in place of what the browser does with a form. */
  readonly submit: (event: Event) => void;
}

export function useAct(work: () => Promise<void>): Act {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (failed) {
      setError(messageOf(failed));
    }
    setBusy(false);
  };
  return {
    busy,
    error,
    start: () => void run(),
    submit(event) {
      event.preventDefault();
      void run();
    },
  };
}

/** Why something failed, if it did. */
export const Failure = ({ error }: { readonly error: string | null }) =>
  error === null ? null : (
    <p class="error" role="alert">
      {error}
    </p>
  );
