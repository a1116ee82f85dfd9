import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { backoffPause, equalJitter } from "../../base/backoff.ts";
import { failureOfError } from "../../client/connection/connect-failure.ts";
import { isOutage } from "../../client/http/request-retry.ts";
import {
  MusterApiError,
  type MeshClient,
  type SubmitOptions,
  type Task,
} from "../../client/index.ts";
import { isLasting } from "../join/first-connection.ts";
import { note } from "../output.ts";

interface Submission {
  readonly kind: string;
  readonly payload: unknown;
  readonly options: SubmitOptions;
}

interface RetryOptions {
  /** How long the submission goes on while the mesh does not answer; 0: as long as the SDK repeats any request. */
  readonly outageMs: number;
  /** Ends the submission, with its reason. */
  readonly signal?: AbortSignal;
  /** What the command prints is for a program. */
  readonly json: boolean;
}

/** The pauses between tries, besides those of the SDK within each. */
const PAUSE = { initial: 500, max: 5_000 };

/**
 * Submits a task under a key of its own, so that the submission can be repeated: a mesh that had it before its answer was lost makes no second
 * task. Goes on across a restart of the mesh.
 */
export async function submitTask(
  mesh: Pick<MeshClient, "tasks">,
  { kind, payload, options }: Submission,
  { outageMs, signal, json }: RetryOptions,
): Promise<Task> {
  const submitted = {
    idempotencyKey: randomUUID(),
    ...options,
    ...(signal !== undefined && { signal }),
  };
  const until = performance.now() + outageMs;
  for (let failures = 1; ; failures++) {
    try {
      return await mesh.tasks.submit(kind, payload, submitted);
    } catch (error) {
      const left = until - performance.now();
      if (left <= 0 || !mayPass(error)) throw error;
      if (failures === 1 && !json)
        note(
          `${silentPart(error)} does not answer; the task is submitted again for ${Math.ceil(outageMs / 60_000)} min`,
        );
      const pause = equalJitter(backoffPause(PAUSE, failures), Math.random());
      await sleep(Math.min(left, pause), undefined, { ...(signal && { signal }) }).catch(() => {
        throw signal?.reason;
      });
    }
  }
}

/** What does not answer: a mesh of several cells says so of the one that the task's key belongs to. */
const silentPart = (error: unknown): string =>
  /^cell \d{1,2} of the mesh(?= does not answer)/.exec(
    error instanceof MusterApiError ? error.detail : "",
  )?.[0] ?? "the mesh";

/** Whether the mesh may answer later, as after a restart: not if the name of its host does not exist, or TLS fails. */
const mayPass = (error: unknown): boolean =>
  isOutage(error) &&
  !(
    error instanceof Error &&
    error.cause !== undefined &&
    isLasting(failureOfError("", error.cause, 0))
  );
