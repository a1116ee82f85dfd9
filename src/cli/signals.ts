import { onNpmEnd } from "./npm-parent.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by `bin/muster.js` or npm. */
const REPEAT_WINDOW_MS = 1_000;

/**
 * Calls `stop` on the first signal, or when the npm that runs this program has ended, for a graceful shutdown, and `abandon` on the second one, which by default ends the
 * process at once.
 */
export function onStopSignal(
  stop: (signal: StopSignal) => void,
  abandon: () => void = () => process.exit(1),
  signals: readonly StopSignal[] = STOP_SIGNALS,
): void {
  let stoppedAt: number | null = null;
  onNpmEnd(() => {
    if (stoppedAt !== null) return;
    stoppedAt = Date.now();
    stop("SIGTERM");
  });
  for (const signal of signals) {
    process.on(signal, () => {
      const now = Date.now();
      if (stoppedAt === null) {
        stoppedAt = now;
        stop(signal);
      } else if (now - stoppedAt > REPEAT_WINDOW_MS) abandon();
    });
  }
}

/** An abort signal for the whole command: SIGINT, SIGTERM or SIGHUP aborts it, with a `Stopped` as its reason. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  onStopSignal((signal) => controller.abort(new Stopped(signal)));
  return controller.signal;
}

/** The user stopped the command before it was done. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  /** The exit code that shells use for a program that SIGINT ended. */
  readonly exitCode = 130;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
  }
}
