import { MINUTE, type Millis } from "../src/base/clock.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { GatewayActor, SessionActor } from "../src/contract/caller.ts";
import type {
  GatewayCommandName,
  Input,
  Output,
  SessionAnswer,
  SessionCommand,
} from "../src/contract/commands.ts";
import type { SubmitInput } from "../src/contract/tasks.ts";
import { isReadCommand } from "../src/contract/read-commands.ts";
import type { Alternative } from "../src/cells/cell-digest.ts";
import { isSingle, type Topology } from "../src/cells/topology.ts";
import { knownCellOfTask } from "../src/cells/task-cell.ts";
import {
  TopologyChanged,
  type Network,
  type SubmissionName,
  type Submitted,
} from "../src/routing/network.ts";
import { ROUTES } from "../src/routing/routes.ts";
import { cellOfSessionCommand } from "../src/routing/session-cells.ts";
import { submitTo } from "../src/routing/submission.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { withDeadline } from "../src/base/deadline.ts";
import { isDamagedError } from "../src/base/damaged-storage.ts";
import { lackedRoom } from "../src/base/disk-shortage.ts";
import {
  DAMAGED,
  isReplacedError,
  NO_ROOM,
  NO_ROOM_TO_READ,
  REPLACED,
} from "./coordinator-errors.ts";
import { inBackground } from "./background.ts";
import type { Env } from "./env.ts";
import { namesOf } from "./grouped-command.ts";
import type { StreamRequest } from "./event-streams.ts";
import { openCellStream, openCellStreams, type CellStreams } from "./cell-streams.ts";
import {
  digestsOf,
  execute,
  executeIn,
  notAnswering,
  stubOf,
  submissionAnswer,
  unmoved,
  withTopology,
} from "./cell-calls.ts";
import type { CellAnswer, RpcAnswer } from "./rpc.ts";
import { log } from "./worker-log.ts";

/** The coordinator as the gateway calls it. */
export interface GatewayPort {
  /** Runs one command. A coordinator that does not answer in time is an `unavailable` error; this never throws. */
  call<K extends GatewayCommandName>(
    name: K,
    input: Input<K>,
  ): Promise<Result<Output<K>, MusterError>>;
  /** Submits a task. Answers once it has ended, or with the task as it is after `ms` milliseconds. Never throws. */
  submitAndWait(
    input: Input<"submit_task">,
    ms: number,
  ): Promise<Result<Output<"submit_task">, MusterError>>;
  /** Answers with a task once it has ended, or as it is after `ms` milliseconds. Never throws. */
  getOnceEnded(
    input: Input<"get_task">,
    ms: number,
  ): Promise<Result<Output<"get_task">, MusterError>>;
  /** Opens a stream of events, which comes as texts over the socket; over one for each cell, if there are several. Never throws. */
  openStream(asked: StreamRequest): Promise<Result<WebSocket | CellStreams, MusterError>>;
  /** Makes the rows of an import those of the mesh, if no part has arrived since they were counted. Never throws. */
  commitImport(id: string, parts: number): Promise<Result<unknown, MusterError>>;
}

/**
 * Sends commands of one session, which are run in their order. Their actor is the session's peer, or the dial for
 * `dial_failed`, whose peer may be unknown. Never throws.
 */
export async function sendSessionCommands(
  env: Env,
  commands: readonly SessionCommand[],
): Promise<readonly SessionAnswer[]> {
  const [first] = commands;
  if (first === undefined) return [];
  const actor: SessionActor =
    "peerId" in first.input ? `peer:${first.input.peerId}` : `dial:${first.input.dial.id}`;
  const results = await answered(env, namesOf(commands), CALL_TIMEOUT, () =>
    withTopology(env, (topology) =>
      executeIn(env, { cell: cellOfSessionCommand(topology, first), topology }, actor, commands),
    ),
  );
  // Each result belongs to its command: the RPC's type can't say so.
  return commands.map((command, index) => {
    const result = results.ok ? results.value[index] : results;
    return { ...command, result: repeatable(command.name, result) } as SessionAnswer;
  });
}

/** The commands by which a peer asks for something. All others report what has happened, and must not be lost for want of room. */
const REQUESTS: ReadonlySet<SessionCommand["name"]> = new Set<SessionCommand["name"]>([
  "assign_task",
  "retry_own_task",
  "rotate_peer",
]);

/** If there is no room for a report, the answer is `unavailable`: peers of every version keep such a report and send it again. */
const repeatable = (
  name: SessionCommand["name"],
  result: RpcAnswer | undefined,
): RpcAnswer | undefined =>
  result?.ok === false && result.error.code === "storage_full" && !REQUESTS.has(name)
    ? err({ ...result.error, code: "unavailable" })
    : result;

export const coordinatorForGateway = (env: Env, actor: GatewayActor): GatewayPort => ({
  call: (name, input) =>
    withTopology(env, (topology) => {
      const network = networkOf(env, actor, topology);
      return isSingle(topology) ? network.ask(0, name, input) : ROUTES[name](network, input);
    }),
  submitAndWait: (input, ms) =>
    withTopology(env, (topology) => {
      const submit = (cell: number, sent: SubmitInput, alternative?: Alternative) => {
        const to = { cell, topology: topology.version, alternative };
        return stubOf(env, cell).submitAndWait(RPC_VERSION, actor, sent, ms, to);
      };
      const timeout = ms + CALL_TIMEOUT;
      if (isSingle(topology))
        return answerTo(env, "submit_task", timeout, () => firstOf(submit(0, input)));
      return submitTo(networkOf(env, actor, topology), input, (cell, considered, alternative) => {
        // The answer comes when the task has ended, so it can't bring the digest.
        inBackground(readDigest(env, actor, cell, topology));
        return submittedTo(env, cell, "submit_task", timeout, () =>
          submit(cell, { ...input, ...considered }, alternative),
        );
      });
    }),
  getOnceEnded(input, ms) {
    const until = Date.now() + ms;
    return withTopology(env, async (topology) => {
      const cell = knownCellOfTask(topology, input.id);
      const to = { cell, topology: topology.version };
      const answer = await answerTo(env, "get_task", ms + CALL_TIMEOUT, () =>
        repeatingReads(env, READ_TRIES, () => {
          const left = Math.max(0, until - Date.now());
          return firstOf(stubOf(env, cell).getOnceEnded(RPC_VERSION, actor, input, left, to));
        }),
      );
      return ofCell(topology, cell, answer);
    });
  },
  openStream: (asked) =>
    withTopology(env, async (topology) => {
      if (!isSingle(topology)) return openCellStreams(env, topology, asked);
      const to = { cell: 0, topology };
      const open = () => openCellStream(env, to, asked);
      const opened = await answered(env, "open_stream", CALL_TIMEOUT, open, NO_ROOM_TO_READ);
      return opened.ok ? opened.value : opened;
    }),
  async commitImport(id, parts) {
    const answer = await answered(env, "commit_import", COMMIT_TIMEOUT, () =>
      stubOf(env, 0).commitImport(RPC_VERSION, actor, id, parts),
    );
    return answer.ok ? answer.value : answer;
  },
});

const firstOf = async (called: Promise<CellAnswer>): Promise<RpcAnswer | undefined> =>
  unmoved(await called)[0];

/** The cells as a caller reaches them. */
const networkOf = (env: Env, actor: GatewayActor, topology: Topology): Network => ({
  topology,
  // It goes on while a route asks one cell after another.
  get now() {
    return Date.now();
  },
  random: Math.random,
  digests: digestsOf(env),
  ask: async (cell, name, input) => {
    const answer = await answerTo(env, name, CALL_TIMEOUT, () =>
      repeatingReads(env, isReadCommand(name) ? READ_TRIES : 1, async () => {
        const [only] = await executeIn(env, { cell, topology }, actor, [{ name, input }]);
        return only;
      }),
    );
    return ofCell(topology, cell, answer);
  },
  submit(cell, name, input, alternative) {
    const digest = digestsOf(env).isWanted(cell, Date.now());
    const to = { cell, topology: topology.version, digest, alternative };
    return submittedTo(env, cell, name, CALL_TIMEOUT, () =>
      execute(env, to, actor, [{ name, input }]),
    );
  },
});

/** Asks a cell for its digest, if the one that is known is older than a second. Never throws. */
async function readDigest(
  env: Env,
  actor: GatewayActor,
  cell: number,
  topology: Topology,
): Promise<void> {
  if (!digestsOf(env).isWanted(cell, Date.now())) return;
  try {
    await withDeadline(executeIn(env, { cell, topology, digest: true }, actor, []), RPC_TIMEOUT);
  } catch (thrown) {
    // The submission that goes there at the same time meets the same fault, and reports it: later, because it waits for the task.
    if (!(thrown instanceof TopologyChanged)) digestsOf(env).failed(cell, Date.now());
  }
}

/**
 * A commit that fails for want of room ends the object with every call to it, also those that only read. The object that is opened next
 * answers them.
 */
async function repeatingReads<T>({ DISK }: Env, tries: number, read: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await read();
    } catch (thrown) {
      if (tried >= tries || !(await lackedRoom(thrown, DISK))) throw thrown;
    }
  }
}
const READ_TRIES = 4;

/** The answer to one command. It belongs to the command: the RPC's type can't say so. */
async function answerTo<K extends GatewayCommandName>(
  env: Env,
  name: K,
  timeout: Millis,
  call: () => Promise<RpcAnswer | undefined>,
): Promise<Result<Output<K>, MusterError>> {
  const noRoom = isReadCommand(name) ? NO_ROOM_TO_READ : NO_ROOM;
  const answer = await answered(env, name, timeout, call, noRoom);
  return (answer.ok ? answer.value : answer) as Result<Output<K>, MusterError>;
}

/** The same for a submission. A cell that has not answered is noted. */
async function submittedTo<K extends SubmissionName>(
  env: Env,
  cell: number,
  name: K,
  timeout: Millis,
  call: () => Promise<CellAnswer>,
): Promise<Submitted<Output<K>>> {
  const answer = await answered(env, name, timeout, () => submissionAnswer(env, cell, call()));
  if (answer !== NO_ANSWER) return (answer.ok ? answer.value : answer) as Submitted<Output<K>>;
  digestsOf(env).failed(cell, Date.now());
  return err(notAnswering(cell));
}

/** The same answer. In a mesh of several cells a cell that has not answered is named. */
const ofCell = <T>(
  topology: Topology,
  cell: number,
  answer: Result<T, MusterError>,
): Result<T, MusterError> =>
  answer === NO_ANSWER && !isSingle(topology) ? err(notAnswering(cell)) : answer;

/** The answer to a call; an error when the call fails or takes longer than `timeout`. `names`: for the log. `noRoom`: the error if the disk is full. */
async function answered<T>(
  { DISK }: Env,
  names: string,
  timeout: Millis,
  call: () => Promise<T>,
  noRoom: MusterError = NO_ROOM,
): Promise<Result<T, MusterError>> {
  const startedAt = Date.now();
  try {
    return ok(await withDeadline(call(), timeout));
  } catch (thrown) {
    if (thrown instanceof TopologyChanged) throw thrown;
    // Nothing is wrong, and the object has said so itself.
    if (isReplacedError(thrown)) return err(REPLACED);
    const durationMs = Date.now() - startedAt;
    const fault = faultOf(thrown);
    log.write("coordinator.call_failed", { commands: names, duration_ms: durationMs, ...fault });
    // The commit failed: it is after the command, so only its caller sees the error.
    if (await lackedRoom(thrown, DISK)) return err(noRoom);
    if (isDamagedError(thrown)) return err(DAMAGED);
    return NO_ANSWER;
  }
}

/** A command that ends sessions waits for their confirmation, which is itself bounded by `RPC_TIMEOUT`. */
const CALL_TIMEOUT = 2 * RPC_TIMEOUT;
/** The rows of a mesh are written in one transaction, which takes seconds for a large one (docs/backup.md). */
const COMMIT_TIMEOUT: Millis = MINUTE;
const NO_ANSWER = err<MusterError>({
  code: "unavailable",
  detail: "the coordinator does not answer; try again",
  retryAfter: 2,
});
