import { DurableObject } from "cloudflare:workers";
import { faultOf } from "../src/base/log/log-events.ts";
import { err } from "../src/base/result.ts";
import type { CommandName, Input } from "../src/contract/commands.ts";
import type { ReadCommandName } from "../src/contract/read-commands.ts";
import { refuseRpcCaller } from "../src/contract/rpc-caller.ts";
import { CommandQueue } from "../src/coordinator/kernel/command-queue.ts";
import { DueTimes } from "../src/coordinator/kernel/due-times.ts";
import {
  executeGroup,
  executeRead,
  type Executed,
  type ExecutedGroup,
  type GroupedCommand,
  type GroupScope,
} from "../src/coordinator/kernel/execute.ts";
import { Outboxes } from "../src/coordinator/outbox/outboxes.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { markOf } from "../src/coordinator/events/position.ts";
import type { Registry } from "../src/registry/registry.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { alertSender, type AlertSender } from "./alert-sender.ts";
import { inBackground } from "./background.ts";
import { callbackRunner } from "./callback-runner.ts";
import { failureOf, REPLACED, REVOKE_UNCONFIRMED, unspoken } from "./coordinator-errors.ts";
import { requireConfig, type MeshConfig } from "./config.ts";
import { durableSql } from "./durable-sql.ts";
import { EffectPerformer } from "./effect-performer.ts";
import type { Env } from "./env.ts";
import { EventStreams } from "./event-streams.ts";
import { answerStreamRequest, streamResponse } from "./event-stream-request.ts";
import { commitAndReopen } from "./import-commit.ts";
import { kvStore } from "./kv-store.ts";
import { MeasurementWriter } from "./measurement-writer.ts";
import { openMeshRegistry } from "./open-mesh-registry.ts";
import { grouped, namesOf, onlyRead } from "./grouped-command.ts";
import { refusalOf, refused } from "./cell-answers.ts";
import { pollCell, sendToCell } from "./cell-calls.ts";
import { OwnCell } from "./own-cell.ts";
import type { CellAnswer, CellTarget, CoordinatorRpc, RpcAnswer, RpcCommand } from "./rpc.ts";
import { SessionPort } from "./session-port.ts";
import { spanExporter, type SpanExporter } from "./span-exporter.ts";
import { getOnceEnded, submitAndWait, type PollPorts } from "./task-polls.ts";
import { TaskWaiters } from "./task-waiters.ts";
import { timed } from "./timed.ts";
import { upstashStore } from "./upstash-store.ts";
import { log } from "./worker-log.ts";

type RunCommand = <K extends CommandName>(name: K, input: Input<K>) => Executed<K>["result"];

/**
 * The coordinator's object: wakes, gathers commands into groups, hands each group to the core, and performs what the core
 * decided. It decides nothing itself. Its state is in SQLite. Memory holds callers that wait for a task, commands that wait
 * for their turn, and what is computed from the rows.
 */
export class Coordinator
  extends DurableObject<Env>
  implements Omit<CoordinatorRpc, keyof Rpc.DurableObjectBranded>
{
  readonly #config: MeshConfig;
  readonly #registry: Registry;
  readonly #alarm: AlarmClock;
  readonly #dueTimes = new DueTimes();
  readonly #queue: CommandQueue;
  readonly #cell: OwnCell;
  readonly #outboxes: Outboxes;
  readonly #effects: EffectPerformer;
  readonly #measurements: MeasurementWriter;
  readonly #spans: SpanExporter | null;
  readonly #alertSender: AlertSender;
  readonly #waiters = new TaskWaiters();
  readonly #streams: EventStreams;
  /** An import has replaced the rows, and this object ends. */
  #isReplaced = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = requireConfig(env, Date.now());
    this.#registry = openMeshRegistry(
      durableSql(ctx.storage),
      this.#config.coordinator.storage.limit,
      Date.now(),
    );
    const mark = markOf(this.#config.coordinator.discovery.verifyingKey);
    this.#streams = new EventStreams(ctx, this.#registry, mark);
    this.#measurements = new MeasurementWriter(this.#registry.measurements);
    this.#alarm = new AlarmClock(ctx.storage);
    this.#queue = new CommandQueue({
      run: (commands) => this.#runGroup(commands),
      defer: (work) => void setTimeout(work, 0),
    });
    this.#cell = new OwnCell({
      env,
      registry: this.#registry,
      config: this.#config.coordinator,
      run: (actor, commands) => this.#runHere(actor, commands),
    });
    const { replicas } = this.#config;
    const sessions = new SessionPort(env.PEER_SESSION);
    const run: RunCommand = (name, input) => this.#run(name, input);
    this.#outboxes = new Outboxes({
      registry: this.#registry,
      store: kvStore(env.BLOBS, () => Date.now()),
      replicas: replicas === null ? null : upstashStore(replicas),
      randomBytes: platformRandom,
      now: () => Date.now(),
      endSession: async (to, fault) => void (await sessions.end(to, fault)),
      probe: (to) => this.#effects.probe(to),
      pullPeers: (cell) => this.#cell.pullPeers(cell),
      sendToCell: (cell, sent) => sendToCell(env, cell, sent),
      execute: (name, input) => this.#run(name, input),
      onFailure: (entry, error) =>
        log.write("outbox.entry_failed", { entry, error: String(error) }),
    });
    this.#effects = new EffectPerformer({
      sessions,
      waiters: this.#waiters,
      outboxes: this.#outboxes,
      callbacks: callbackRunner(sessions, run),
      waitsForCell: (cell, seq) => this.#registry.cellMessages.waits(cell, seq),
      execute: async (name, input) =>
        void (await this.#queue.execute([grouped("mesh", { name, input })])),
    });
    const { collector } = this.#config;
    this.#alertSender = alertSender(sessions, this.#registry, run);
    this.#spans = collector && spanExporter(collector, this.#registry, run);
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  async execute(
    version: number,
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<CellAnswer> {
    const refusal = refusalOf(version, actor, commands) ?? this.#refuseReplaced();
    if (refusal !== null) return refused(commands, refusal);
    return this.#cell.execute(actor, commands, to);
  }

  /** Runs commands here, together with those that have gathered. */
  async #runHere(actor: string, commands: readonly RpcCommand[]): Promise<readonly RpcAnswer[]> {
    const read = onlyRead(commands);
    if (read !== null)
      return timed(this.#registry, "read", 1, () => [this.#read(read.name, read.input, actor)]);
    const all = commands.map((command) => grouped(actor, command));
    return timed(this.#registry, "write", all.length, () => this.#queue.execute(all));
  }

  override async fetch(request: Request): Promise<Response> {
    const refusal = this.#refuseReplaced();
    if (refusal !== null) return streamResponse(err(refusal));
    return answerStreamRequest(request, this.#cell, this.#streams);
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    this.#streams.taken(socket, data);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#streams.closed(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#streams.closed(socket);
  }

  async submitAndWait(
    version: number,
    actor: string,
    input: Input<"submit_task">,
    ms: number,
    to: CellTarget,
  ): Promise<CellAnswer> {
    return submitAndWait(this.#polls(version, actor, to), input, ms);
  }

  async getOnceEnded(
    version: number,
    actor: string,
    input: Input<"get_task">,
    ms: number,
    to: CellTarget,
  ): Promise<CellAnswer> {
    return getOnceEnded(this.#polls(version, actor, to), input, ms);
  }

  /** What polls of a caller use. */
  #polls(version: number, actor: string, to: CellTarget): PollPorts {
    return {
      registry: this.#registry,
      waiters: this.#waiters,
      now: () => Date.now(),
      to,
      execute: (command, target) => this.execute(version, actor, [command], target),
      elsewhere: (cell, input, ms) => pollCell(this.env, cell, actor, input, ms),
    };
  }

  async commitImport(
    version: number,
    actor: string,
    id: string,
    parts: number,
  ): Promise<RpcAnswer> {
    if (version !== RPC_VERSION) return err(unspoken(version));
    const refusal = refuseRpcCaller(actor, "put_import_part") ?? this.#refuseReplaced();
    if (refusal !== null) return err(refusal);
    return commitAndReopen(this.ctx, this.#registry.importCopy, { id, parts }, () => {
      this.#isReplaced = true;
    });
  }

  #refuseReplaced(): MusterError | null {
    return this.#isReplaced ? REPLACED : null;
  }

  override async alarm(): Promise<void> {
    // The next object has its own.
    if (this.#isReplaced) throw new Error(REPLACED.detail);
    this.#alarm.rang();
    try {
      // Messages that have arrived come before the leases and offers that the tick ends.
      this.#queue.drain();
      this.#run("tick", {});
      inBackground(Promise.all([this.#spans?.run(), this.#alertSender.run()]));
      inBackground(Promise.all([this.#cell.moveTasks(), this.#cell.watchCells()]));
      await this.#outboxes.runDue();
    } catch (thrown) {
      log.write("coordinator.tick_failed", faultOf(thrown));
    } finally {
      const scope = this.#scope();
      this.#alarm.ringBy(this.#dueTimes.next(scope), scope.now);
    }
  }

  #read<K extends ReadCommandName>(name: K, input: Input<K>, actor: string): Executed<K>["result"] {
    const result = executeRead({ ...this.#scope(), actor }, name, input);
    // The last use of a token.
    this.#measurements.scheduleWrite();
    return result;
  }

  /** Runs a command of the mesh itself at once, for a caller that needs its answer in this turn. */
  #run<K extends CommandName>(name: K, input: Input<K>): Executed<K>["result"] {
    const { executed, effects } = this.#commit([grouped("mesh", { name, input })]);
    const { result, effects: own } = executed[0] as Executed<K>;
    void this.#effects.perform([...own, ...effects]);
    return result;
  }

  /** Runs commands as one group, and answers each once its effects that the caller waits for were performed. */
  #runGroup(commands: readonly GroupedCommand[]): readonly Promise<RpcAnswer>[] {
    try {
      const { executed, effects } = this.#commit(commands);
      const answers = executed.map(async ({ result, effects: own }) => {
        const confirmed = await Promise.all(this.#effects.perform(own));
        return confirmed.every(Boolean) ? result : err(REVOKE_UNCONFIRMED);
      });
      void this.#effects.perform(effects);
      return answers;
    } catch (thrown) {
      log.write("coordinator.commands_failed", { commands: namesOf(commands), ...faultOf(thrown) });
      // The others must not fail because of one: each runs alone.
      if (commands.length > 1) return commands.flatMap((command) => this.#runGroup([command]));
      return [Promise.resolve(err(failureOf(thrown)))];
    }
  }

  /** Runs commands in one transaction, and sets the alarm for what they made due. */
  #commit(commands: readonly GroupedCommand[]): ExecutedGroup {
    const scope = this.#scope();
    const group = executeGroup(scope, commands);
    if (commands.some(({ name }) => name === "tick")) this.#dueTimes.forget();
    this.#measurements.scheduleWrite();
    this.#alarm.ringBy(this.#dueTimes.next(scope), scope.now);
    this.#streams.afterCommit(scope.now);
    return group;
  }

  #scope(): GroupScope {
    return {
      registry: this.#registry,
      config: this.#config.coordinator,
      now: Date.now(),
      random: Math.random,
      randomBytes: platformRandom,
    };
  }
}
