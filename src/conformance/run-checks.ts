import type { Millis } from "../base/clock.ts";
import type { CheckInfo } from "./check.ts";
import { CheckFailed, NotApplicable } from "./failure.ts";
import type { CheckResult } from "./result.ts";

/** Frames of a failed check that its report shows. */
const FRAMES_SHOWN = 12;

/** A check with what it needs, ready to run once. */
export interface PreparedCheck {
  run(): Promise<void>;
  /** The newest entries of what passed between the kit and the program. */
  frames(count: number): readonly string[];
  /** What the program wrote last. */
  output(): readonly string[];
  /** Ends the program and the mesh of the check. */
  close(): Promise<void>;
}

export interface RunOptions<C extends CheckInfo> {
  readonly checks: readonly C[];
  readonly prepare: (check: C) => Promise<PreparedCheck>;
  /** Checks that run at the same time. */
  readonly jobs: number;
  readonly now: () => Millis;
  readonly signal: AbortSignal;
  /** Called with each result as it comes. */
  readonly onResult: (result: CheckResult) => void;
}

/** A check that takes longer has failed. */
const limitOf = ({ seconds }: CheckInfo): Millis => (3 * seconds + 60) * 1_000;

/** Runs the checks, long ones first, and returns their results in the order of the checks. Rejects when the signal aborts. */
export async function runChecks<C extends CheckInfo>(
  options: RunOptions<C>,
): Promise<readonly CheckResult[]> {
  const { checks, jobs, signal, onResult } = options;
  const queue = checks.toSorted((a, b) => b.seconds - a.seconds);
  const results = new Map<string, CheckResult>();
  const work = async (): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      signal.throwIfAborted();
      const result = await runCheck(check, options);
      results.set(check.id, result);
      onResult(result);
    }
  };
  // Also when one is stopped the others close what they have started.
  const ends = await Promise.allSettled(Array.from({ length: jobs }, work));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return checks.flatMap(({ id }) => results.get(id) ?? []);
}

async function runCheck<C extends CheckInfo>(
  check: C,
  { prepare, now, signal }: RunOptions<C>,
): Promise<CheckResult> {
  const startedAt = now();
  const prepared = await prepare(check);
  const { id, level, subset, statement, section, seconds } = check;
  const info = { id, level, subset, statement, section, seconds };
  const took = () => ({ tookSeconds: (now() - startedAt) / 1_000 });
  try {
    await withinLimit(prepared.run(), limitOf(check), signal);
    return { ...info, outcome: "passed", ...took() };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotApplicable)
      return { ...info, outcome: "not_applicable", seen: error.message, ...took() };
    const { expected, seen } =
      error instanceof CheckFailed
        ? error
        : { expected: "the check to run to its end", seen: String(error) };
    const [frames, output] = [prepared.frames(FRAMES_SHOWN), prepared.output()];
    return { ...info, outcome: "failed", expected, seen, frames, output, ...took() };
  } finally {
    await prepared.close();
  }
}

async function withinLimit(run: Promise<void>, limit: Millis, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal.reason);
  const timer = setTimeout(() => {
    stopped.reject(new CheckFailed(`the check to end within ${limit / 1_000} s`, "it still runs"));
  }, limit);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop(); // while the check was prepared
  try {
    await Promise.race([run, stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    // A check that was given up fails later, when its mesh closes.
    run.catch(() => {});
  }
}
