import { SECOND, type Millis } from "../src/base/clock.ts";
import { withDeadline } from "../src/base/deadline.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { afterIn } from "../src/cells/mesh-position.ts";
import { liveCells, type Topology } from "../src/cells/topology.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { TopologyChanged } from "../src/routing/network.ts";
import { notAnswering, stubOf } from "./cell-calls.ts";
import type { Env } from "./env.ts";
import { readStreamResponse, streamRequest } from "./event-stream-request.ts";
import type { StreamRequest } from "./event-streams.ts";
import { log } from "./worker-log.ts";

/** The streams of all live cells. */
export interface CellStreams {
  readonly after: string | null;
  /** The socket of each cell; null for one that does not answer. */
  readonly sockets: ReadonlyMap<number, WebSocket | null>;
  /** Opens the stream of a cell again; null if the mesh has other cells now. Never throws. */
  readonly reopen: (
    cell: number,
    after: string | null,
  ) => Promise<Result<WebSocket, MusterError> | null>;
}

/** A cell that does not answer in this time is one whose events follow later. */
const OPEN_TIMEOUT: Millis = 3 * SECOND;

/** Opens the stream of one cell. Throws if it does not answer, and `TopologyChanged` if it knows another topology. */
export const openCellStream = async (
  env: Env,
  to: { readonly cell: number; readonly topology: Topology },
  asked: StreamRequest,
): Promise<Result<WebSocket, MusterError>> => {
  const target = { cell: to.cell, topology: to.topology.version };
  return readStreamResponse(await stubOf(env, to.cell).fetch(streamRequest(asked, target)));
};

/**
 * Opens the streams of all live cells. A refusal of one, as for a token that is over, is the answer; so is the error of all. Throws
 * `TopologyChanged`.
 */
export async function openCellStreams(
  env: Env,
  topology: Topology,
  asked: StreamRequest,
): Promise<Result<CellStreams, MusterError>> {
  const cells = liveCells(topology);
  const opened = await Promise.all(
    cells.map((cell) => opening(env, { cell, topology }, afterOf(asked, cell))),
  );
  const sockets = new Map<number, WebSocket | null>();
  let refusal: MusterError | null = null;
  let changed: TopologyChanged | null = null;
  for (const [index, answer] of opened.entries()) {
    const cell = cells[index] ?? 0;
    if (answer instanceof TopologyChanged) changed = answer;
    else if (answer.ok) sockets.set(cell, answer.value);
    else if (answer.error.code === "unavailable") sockets.set(cell, null);
    else refusal ??= answer.error;
  }
  const open = [...sockets.values()].filter((socket) => socket !== null);
  if (changed === null && refusal === null && open.length > 0) {
    const reopen: CellStreams["reopen"] = async (cell, after) => {
      const answer = await opening(env, { cell, topology }, { ...asked, after });
      return answer instanceof TopologyChanged ? null : answer;
    };
    return ok({ after: asked.after, sockets, reopen });
  }
  for (const socket of open) discard(socket);
  if (changed !== null) throw changed;
  return err(refusal ?? notAnswering(cells[0] ?? 0));
}

const afterOf = (asked: StreamRequest, cell: number): StreamRequest => ({
  ...asked,
  after: afterIn(asked.after, cell),
});

/** Opens the stream of a cell. Never throws; a stream that opens too late is closed. */
async function opening(
  env: Env,
  to: { readonly cell: number; readonly topology: Topology },
  asked: StreamRequest,
): Promise<Result<WebSocket, MusterError> | TopologyChanged> {
  const opened = openCellStream(env, to, asked);
  try {
    return await withDeadline(opened, OPEN_TIMEOUT);
  } catch (thrown) {
    if (thrown instanceof TopologyChanged) return thrown;
    opened.then(
      (late) => late.ok && discard(late.value),
      () => {},
    );
    log.write("cells.call_failed", {
      cell: String(to.cell),
      commands: "open_stream",
      ...faultOf(thrown),
    });
    return err(notAnswering(to.cell));
  }
}

/** Closes a socket that nobody reads. */
export function discard(socket: WebSocket): void {
  try {
    socket.accept();
    socket.close();
  } catch {
    // It is closed already.
  }
}
