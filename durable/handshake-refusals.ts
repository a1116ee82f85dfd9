import { RefusalCounter } from "../src/metrics/refusal-counts.ts";
import type { ErrorCode } from "../src/protocol/errors.ts";
import { inBackground } from "./background.ts";
import { coordinatorForGateway } from "./coordinator-port.ts";
import type { Env } from "./env.ts";

/** Of all objects in this isolate: each stranger has an object of its own, and a flood of them must not be one of reports. */
const counter = new RefusalCounter();

/** Counts a handshake that was refused before its peer was proved. It is no session's command: there is no peer that it could name. */
export function countHandshake(env: Env, reason: ErrorCode): void {
  counter.add("handshake", reason);
  const wait = counter.claim(Date.now());
  if (wait !== null) inBackground(report(env, wait));
}

async function report(env: Env, wait: number): Promise<void> {
  if (wait > 0) await scheduler.wait(wait);
  await counter.report(Date.now(), (counts) =>
    coordinatorForGateway(env, "anonymous").call("count_refusals", { counts }),
  );
}
