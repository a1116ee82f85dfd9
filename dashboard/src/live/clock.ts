/** The mesh's time, which moves once a second while somebody looks at it. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { session } from "../api/session.ts";

const TICK_MS = 1_000;
const time = signal(Date.now());

/** Reads the clock in the component that shows it, and so renders it again with each tick. */
export const clock: ReadonlySignal<number> = time;

/** The mesh's time now, in milliseconds since the epoch. */
const meshNow = (): number => Date.now() + (session.peek()?.clockOffset ?? 0);

setInterval(() => {
  if (document.visibilityState === "visible") time.value = meshNow();
}, TICK_MS);
