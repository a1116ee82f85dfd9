const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** One Ctrl-C can arrive twice: from the terminal, and passed on by `bin/muster.js` or npm. */
const SAME_PRESS_MS = 1_000;

/**
 * Calls `stop` when the user wants the program to end. Whoever asks a second time does not want to wait: `abandon`,
 * or the end at once.
 */
export function onStopSignal(
  stop: (signal: StopSignal) => void,
  abandon: () => void = () => process.exit(1),
): void {
  let asked: number | null = null;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      const now = Date.now();
      if (asked === null) {
        asked = now;
        stop(signal);
      } else if (now - asked > SAME_PRESS_MS) abandon();
    });
  }
}

/** A signal that aborts when the user wants the program to end; its reason is a `Stopped`. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  onStopSignal((signal) => controller.abort(new Stopped(signal)));
  return controller.signal;
}

/** The user ended it: no failure, but not done either. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  /** What shells say of a program that a signal ended. */
  readonly exitCode = 130;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
  }
}
