import { faultOf } from "../src/base/log/log-events.ts";
import { log } from "./worker-log.ts";

/**
 * Lets work go on that no event waits for. Not `waitUntil`: pending work keeps an object in memory by itself, and the platform keeps
 * every event of an object until no `waitUntil` of it is pending, so that under steady load events would pile up. For the same
 * reason a handler of frequent events must not return a promise that waits for other objects.
 */
export function inBackground(work: Promise<unknown>): void {
  work.catch((thrown: unknown) => log.write("background.failed", faultOf(thrown)));
}
