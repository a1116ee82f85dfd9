import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** npm, the shell between, and this program. */
const LEVELS_MAX = 4;
const POLL_INTERVAL_MS = 300;
/** What `ps` shows of npm and npx, which set their title, and before they have set it. */
const IS_NPM = /^(?:npm|npx)(?: |$)|\b(?:npm|npx)(?:-cli\.js)?(?: |$)/;

/** A script that starts something in the background lets it outlive npm. */
const IN_BACKGROUND = /(?:^|[^&>])&(?![&>])/;

/**
 * Calls `stop` when the npm that runs this program has ended. npm passes SIGTERM on to the shell that it started, which ends and
 * leaves this program behind, and SIGHUP not at all. Does nothing for a program that npm has not started.
 */
export function onNpmEnd(stop: () => void): void {
  const { npm_command: command, npm_lifecycle_script: script = "" } = process.env;
  if (process.platform === "win32" || command === undefined || IN_BACKGROUND.test(script)) return;
  const parent = process.ppid;
  let npm: number | null = null;
  void npmAmong(parent).then((pid) => (npm = pid));
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === null || isRunning(npm))) return;
    clearInterval(timer);
    stop();
  }, POLL_INTERVAL_MS);
  timer.unref();
}

/** The nearest ancestor that is npm; null if none is. */
async function npmAmong(pid: number): Promise<number | null> {
  for (let [at, level] = [pid, 0]; at > 1 && level < LEVELS_MAX; level++) {
    const shown = await promisify(execFile)("ps", ["-o", "ppid=,args=", "-p", String(at)]).catch(
      () => null,
    );
    const [, parent = "0", args = ""] = /^\s*(\d+)\s+(.*)/.exec(shown?.stdout ?? "") ?? [];
    if (IS_NPM.test(args)) return at;
    at = Number(parent);
  }
  return null;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs, and belongs to another user
  }
}
