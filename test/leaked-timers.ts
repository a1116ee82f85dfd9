import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";

/*
 * The files of a worker share their modules and their timers. A timer that a file leaves behind (of a peer that is still connected, say)
 * runs in the files after it, where it appears among the fake timers of a test that counts them. So each file ends all of its own.
 */

/** The timers that keep the process running; those of `AbortSignal.timeout` do not. */
const pendingTimers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;

let atStart = 0;

beforeAll(() => {
  atStart = pendingTimers();
});

afterAll(async () => {
  // A timer that ends soon disturbs nobody, and is often not the test's own: Vitest holds its reports back for 100 ms.
  for (let n = 0; n < 100 && pendingTimers() > atStart; n++) await sleep(10);
  const left = pendingTimers() - atStart;
  if (left > 0)
    throw new Error(`The tests of this file left ${left} timers running: close what they opened`);
});
