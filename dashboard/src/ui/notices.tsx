/** What an action has done, for some seconds in a corner of the page. */
import { signal } from "@preact/signals";

interface Notice {
  readonly id: number;
  readonly text: string;
}

/** Long enough to read a sentence twice. */
const SHOWN_MS = 8_000;
const notices = signal<readonly Notice[]>([]);
let last = 0;

export function notify(text: string): void {
  const id = ++last;
  notices.value = [...notices.value, { id, text }];
  setTimeout(() => remove(id), SHOWN_MS);
}

const remove = (id: number): void => {
  notices.value = notices.value.filter((notice) => notice.id !== id);
};

export const Notices = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ id, text }) => (
      <p key={id} class="notice">
        {text}
        <button type="button" class="close" aria-label="Close" onClick={() => remove(id)}>
          ×
        </button>
      </p>
    ))}
  </div>
);
