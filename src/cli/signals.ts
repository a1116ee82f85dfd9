import { onNpmEnd } from "./npm-parent.ts";
import { outputEnd, type OutputEnded } from "./output.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The exit code that shells use for a program that a signal ended: 128 and the number of the signal. */
const SIGNAL_EXIT: { readonly [S in StopSignal]: number } = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by `bin/muster.js` or npm. */
const REPEAT_WINDOW_MS = 1_000;

/**
 * Calls `stop` on the first signal, or when the npm that runs this program has ended, for a graceful shutdown, and `abandon` on the second
 * one, which by default ends the process at once. The end of the reader of stdout counts as a first signal: nobody sees what the command
 * would print next.
 */
export function onStopSignal(
  stop: (reason: Stopped | OutputEnded) => void,
  abandon: (reason: Stopped) => void = ({ exitCode }) => process.exit(exitCode),
  signals: readonly StopSignal[] = STOP_SIGNALS,
): void {
  let stoppedAt: number | null = null;
  onNpmEnd(() => {
    if (stoppedAt !== null) return;
    stoppedAt = Date.now();
    stop(new Stopped("SIGTERM"));
  });
  for (const signal of signals) {
    process.on(signal, () => {
      const now = Date.now();
      if (stoppedAt === null) {
        stoppedAt = now;
        stop(new Stopped(signal));
      } else if (now - stoppedAt > REPEAT_WINDOW_MS) abandon(new Stopped(signal));
    });
  }
  const onOutputEnd = (): void => {
    stoppedAt ??= Date.now();
    stop(outputEnd.reason as OutputEnded);
  };
  if (outputEnd.aborted) onOutputEnd();
  else outputEnd.addEventListener("abort", onOutputEnd, { once: true });
}

/** An abort signal for the whole command: it aborts when the command should stop, with the reason. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  onStopSignal((reason) => controller.abort(reason));
  return controller.signal;
}

/** The user stopped the command before it was done. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly code = "stopped";
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = SIGNAL_EXIT[signal];
  }
}
