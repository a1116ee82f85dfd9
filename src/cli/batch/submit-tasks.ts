import type { MeshClient } from "../../client/index.ts";
import type { BatchView } from "../../protocol/http.ts";
import { BATCH_BODY_BYTES_MAX } from "../../protocol/constants.ts";
import { BATCH_MAX } from "../../protocol/task-limits.ts";
import type { BatchLine } from "./read-tasks.ts";

/** What became of a line of the file. */
export interface LineOutcome {
  readonly line: number;
  readonly outcome: BatchView["results"][number];
}

/** What a request has besides its tasks. */
const FRAME_BYTES = 1_024;

/** The tasks in requests that the mesh accepts: by number and by bytes. A task that is too large for any is a request of its own, which the mesh refuses. */
export function inRequests(tasks: readonly BatchLine[]): readonly (readonly BatchLine[])[] {
  const requests: BatchLine[][] = [];
  let bytes = 0;
  for (const task of tasks) {
    const last = requests.at(-1);
    const size = task.bytes + 1;
    if (
      last === undefined ||
      last.length === BATCH_MAX ||
      bytes + size > BATCH_BODY_BYTES_MAX - FRAME_BYTES
    ) {
      requests.push([task]);
      bytes = size;
    } else {
      last.push(task);
      bytes += size;
    }
  }
  return requests;
}

/** Submits one request after the other; each has a key of its own, so that the same call again makes no second task. */
export async function* submitTasks(
  mesh: Pick<MeshClient, "tasks">,
  tasks: readonly BatchLine[],
  idempotencyKey: string,
  signal: AbortSignal,
): AsyncGenerator<readonly LineOutcome[], void, undefined> {
  for (const [number, request] of inRequests(tasks).entries()) {
    const results = await mesh.tasks.submitBatch(
      request.map(({ task }) => task),
      { idempotencyKey: `${idempotencyKey}:${number + 1}`, signal },
    );
    yield results.map((outcome, index) => ({ line: request[index]?.line ?? 0, outcome }));
  }
}
