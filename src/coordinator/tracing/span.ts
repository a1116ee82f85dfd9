import type { Millis } from "../../base/clock.ts";
import { toHex, utf8 } from "../../base/bytes.ts";
import { sha256 } from "../../crypto/primitives.ts";
import type { SpanView } from "../../protocol/http.ts";

/** One operation of a task's trace. It has no payload, no result and no error text: these may hold anything. */
export interface Span {
  readonly spanId: string;
  /** Null for the root of a trace that the mesh begins. */
  readonly parentId: string | null;
  readonly name: SpanView["name"];
  readonly startedAt: Millis;
  /** Null while it has not ended. */
  readonly endedAt: Millis | null;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/**
 * The ID of a span follows from its task and its place, so that spans that are sent again after a restart are the same, and the headers that
 * name a span agree with what is sent later.
 */
export function spanIdOf(taskId: string, place: string): string {
  const id = toHex(sha256(utf8(`muster/span ${taskId} ${place}`))).slice(0, 16);
  return /^0+$/.test(id) ? "0000000000000001" : id;
}

/** The places of spans. A fence is of one attempt only; retries are counted, and attempts at a callback told apart by their times. */
export const PLACES = {
  task: (retries: number) => `task/${retries}`,
  submit: (retries: number) => `submit/${retries}`,
  /** Before an attempt. */
  wait: (fence: number) => `wait/${fence}`,
  lastWait: (retries: number) => `wait/end/${retries}`,
  attempt: (fence: number) => `attempt/${fence}`,
  upload: (fence: number) => `upload/${fence}`,
  callback: (retries: number, firstAt: Millis) => `callback/${retries}/${firstAt}`,
  callbackAttempt: (retries: number, at: Millis) => `callback-attempt/${retries}/${at}`,
} as const;
