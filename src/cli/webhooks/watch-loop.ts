import { backoffPause } from "../../base/backoff.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import { MusterApiError } from "../../client/index.ts";
import type { WatchEvent } from "./delivery-watch.ts";

const INTERVAL: Millis = SECOND;
const RETRY = { initial: SECOND, max: 10 * SECOND } as const;

export interface WatchHost {
  readonly poll: () => Promise<readonly WatchEvent[]>;
  readonly show: (event: WatchEvent) => void;
  /** Says that the mesh does not answer, or does so again. */
  readonly say: (text: string) => void;
  /** Resolves after this time; rejects when the user stops. */
  readonly sleep: (ms: Millis) => Promise<void>;
}

/**
 * Polls and shows what happens, until `sleep` or `poll` rejects for good. A mesh that is away, restarts or asks for fewer requests
 * is asked again later; what happened meanwhile is shown then.
 */
export async function watch({ poll, show, say, sleep }: WatchHost): Promise<never> {
  let failures = 0;
  for (let isFirst = true; ; isFirst = false) {
    let pause = INTERVAL;
    try {
      for (const event of await poll()) show(event);
      if (failures > 0) say("the mesh answers again");
      failures = 0;
    } catch (error) {
      // At the start the user must learn of a wrong URL at once.
      if (isFirst || !isTransient(error)) throw error;
      failures++;
      if (failures === 1) say(`${error.message}; trying again until it answers`);
      pause = Math.max((error.retryAfter ?? 0) * SECOND, backoffPause(RETRY, failures));
    }
    await sleep(pause);
  }
}

/** Whether the mesh may answer the same request later: it is away, busy, restarts, or a proxy before it says so. */
const isTransient = (error: unknown): error is MusterApiError =>
  error instanceof MusterApiError &&
  (error.status === 0 || error.status === 429 || error.status >= 500);
