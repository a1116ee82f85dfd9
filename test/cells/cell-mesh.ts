import type { Millis } from "../../src/base/clock.ts";
import { err, type Result } from "../../src/base/result.ts";
import type { Alternative } from "../../src/cells/cell-digest.ts";
import { SINGLE, type Topology } from "../../src/cells/topology.ts";
import type {
  CommandAnswer,
  GatewayCommandName,
  Input,
  Output,
  SentCommand,
  SessionCommand,
} from "../../src/contract/commands.ts";
import { OwnDigest } from "../../src/coordinator/cells/digest.ts";
import { serveCall } from "../../src/coordinator/cells/serve-call.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import { earliest } from "../../src/coordinator/kernel/job.ts";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import type { EndFault, SessionRef } from "../../src/peers/session-orders.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { CellDigests } from "../../src/routing/cell-digests.ts";
import { byTopology, ELSEWHERE, NOT_READY, TopologyChanged } from "../../src/routing/network.ts";
import { ROUTES } from "../../src/routing/routes.ts";
import { cellOfSessionCommand } from "../../src/routing/session-cells.ts";
import { START } from "../coordinator/mesh.ts";
import { TEST_CONFIG } from "../coordinator/test-config.ts";
import { MemoryStore } from "../discovery/memory-store.ts";
import { seededNumbers, seededRandom } from "../random.ts";
import { TestCell } from "./test-cell.ts";
import { Transport, turn } from "./transport.ts";

interface Options {
  readonly cells: number;
  readonly seed?: number;
  readonly config?: Partial<CoordinatorConfig>;
  readonly publishes?: boolean;
  /** Whether callers learn the load of cells. Else tasks go to any cell. */
  readonly balances?: boolean;
}

/** What the session of a test peer has got. */
export interface SessionInbox {
  readonly offers: TaskOffer[];
  readonly cancelled: { readonly taskId: string; readonly fence: number }[];
  endFault: EndFault | null;
}

/** Who calls cells: an isolate of the gateway, and the sessions. */
interface Caller {
  known: Topology;
  /** What it knows of the cells' load. */
  readonly digests: CellDigests | null;
}
const CALLERS = 3;

/** The cell has run nothing, because it does not know enough of the mesh. */
const NOTHING_KNOWN: readonly CommandAnswer[] = [];
/** The cell has run nothing, because the task waits there for longer. */
const ELSEWHERE_BETTER: readonly CommandAnswer[] = [];

/** A mesh of several cells in one process: real coordinators, routes and messages; sessions are inboxes, and the test sets the clock. */
export class CellMesh {
  now: Millis = START;
  readonly random;
  readonly randomBytes;
  readonly transport: Transport;
  readonly publishes: boolean;
  readonly cells: TestCell[] = [];
  readonly sessions = new Map<string, SessionInbox>();
  /** Effects that have no other consequence here. */
  readonly effects: Effect[] = [];
  readonly store = new MemoryStore(() => this.now);
  readonly callers: readonly Caller[];
  /** The one that calls. */
  caller: Caller;
  #config: CoordinatorConfig;

  constructor({ cells, seed = 1, config, publishes = true, balances = false }: Options) {
    this.publishes = publishes;
    this.callers = Array.from({ length: CALLERS }, () => ({
      known: SINGLE,
      digests: balances ? new CellDigests() : null,
    }));
    this.caller = this.callers[0] as Caller;
    this.random = seededNumbers(seed);
    this.randomBytes = seededRandom(seed);
    this.transport = new Transport(seededNumbers(seed + 1));
    this.#config = { ...TEST_CONFIG, ...config, cells };
    this.cellOf(0);
  }

  /** The topology that the caller knows. */
  get known(): Topology {
    return this.caller.known;
  }

  set known(topology: Topology) {
    this.caller.known = topology;
  }

  get config(): CoordinatorConfig {
    return this.#config;
  }

  /** The operator sets another number of cells. */
  setCells(cells: number): void {
    this.#config = { ...this.#config, cells };
  }

  /** A cell's object, which begins with its first call. */
  cellOf(number: number): TestCell {
    for (let next = this.cells.length; next <= number; next++)
      this.cells.push(new TestCell(this, next));
    return this.cells[number] as TestCell;
  }

  /** A command of a caller of the HTTP API, by its route. */
  call<K extends GatewayCommandName>(
    name: K,
    input: Input<K>,
    actor = "admin",
  ): Promise<Result<Output<K>, MusterError>> {
    const { digests } = this.caller;
    return this.#withTopology((topology) => {
      const ask = async (cell: number, asked: string, inputOfCell: object): Promise<never> => {
        const commands = [{ name: asked, input: inputOfCell }] as unknown as SentCommand[];
        const [answer] = await this.#callCell(cell, topology, actor, commands);
        return answer as never;
      };
      const submit = async (
        cell: number,
        asked: string,
        inputOfCell: object,
        alternative: Alternative,
      ): Promise<never> => {
        const commands = [{ name: asked, input: inputOfCell }] as unknown as SentCommand[];
        const answers = await this.#answered(cell, commands, () =>
          this.#enter(cell, topology.version, actor, commands, alternative),
        );
        if (answers === NOTHING_KNOWN) {
          digests?.failed(cell, this.now);
          return NOT_READY as never;
        }
        const [answer = ELSEWHERE] = answers;
        if (answer === ELSEWHERE || answer.ok)
          digests?.learned(cell, this.#digestOf(cell).read(this.now), this.now);
        return answer as never;
      };
      const { now, random } = this;
      const network = { topology, now, random, digests: digests ?? undefined, ask, submit };
      return ROUTES[name](network, input);
    });
  }

  #digestOf(cell: number): OwnDigest {
    return new OwnDigest(this.cellOf(cell));
  }

  /** Commands of a session, all of the same peer. */
  session(...commands: readonly SessionCommand[]): Promise<readonly CommandAnswer[]> {
    const [first] = commands;
    if (first === undefined) return Promise.resolve([]);
    const actor = "peerId" in first.input ? `peer:${first.input.peerId}` : "dial:test";
    return this.#withTopology((topology) =>
      this.#callCell(cellOfSessionCommand(topology, first), topology, actor, commands),
    );
  }

  /** Commands of one cell to another. */
  async callBetween(
    to: number,
    actor: string,
    commands: readonly SentCommand[],
  ): Promise<readonly CommandAnswer[]> {
    return this.#answered(to, commands, () => this.#enter(to, null, actor, commands));
  }

  /** Runs everything that is due, until nothing is on its way; lets some time pass for what is repeated. */
  async settle(rounds = 12): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.drain();
      this.now += 1_000 * 2 ** Math.min(round, 6);
      for (const cell of this.cells) if (!this.transport.down.has(cell.number)) void cell.tick();
    }
    await this.drain();
  }

  /** Rings the alarms that are due. `atNext`: the clock goes to the next one first. */
  ring({ atNext }: { readonly atNext: boolean }): void {
    const up = this.cells.filter(({ number }) => !this.transport.down.has(number));
    const dues = up.map((cell) => cell.nextTick());
    if (atNext) this.now = Math.max(this.now + 1, earliest(dues) ?? 0);
    for (const [at, cell] of up.entries()) if ((dues[at] ?? Infinity) <= this.now) void cell.tick();
  }

  /** Delivers what waits in the transport, and what follows from it. */
  async drain(): Promise<void> {
    await turn();
    while (this.transport.step()) await turn();
  }

  /**
   * The mesh is not used any more, and nothing in it goes on: other meshes may have its databases. Not to be called after a failure, when work
   * of it would go on in theirs.
   */
  end(): void {
    for (const cell of this.cells) cell.end();
  }

  inbox(session: string): SessionInbox {
    const inbox = this.sessions.get(session) ?? { offers: [], cancelled: [], endFault: null };
    this.sessions.set(session, inbox);
    return inbox;
  }

  offer(to: SessionRef, offer: TaskOffer): void {
    this.inbox(to.session).offers.push(offer);
  }

  cancel(to: SessionRef, taskId: string, fence: number): void {
    this.inbox(to.session).cancelled.push({ taskId, fence });
  }

  endSession(to: SessionRef, fault: EndFault): void {
    this.inbox(to.session).endFault = fault;
  }

  #withTopology<T>(run: (topology: Topology) => Promise<T>): Promise<T> {
    const { caller } = this;
    return byTopology(caller.known, run, (topology) => {
      caller.known = topology;
    });
  }

  #callCell(
    to: number,
    topology: Topology,
    actor: string,
    commands: readonly SentCommand[],
  ): Promise<readonly CommandAnswer[]> {
    return this.#answered(to, commands, () => this.#enter(to, topology.version, actor, commands));
  }

  async #answered(
    to: number,
    commands: readonly SentCommand[],
    run: () => Promise<readonly CommandAnswer[]>,
  ): Promise<readonly CommandAnswer[]> {
    const names = commands.map(({ name }) => name);
    try {
      return await this.transport.call(to, names, run);
    } catch (thrown) {
      if (thrown instanceof TopologyChanged) throw thrown;
      const detail = `cell ${to} does not answer: ${String(thrown)}`;
      return commands.map(() => err({ code: "unavailable", detail }));
    }
  }

  async #enter(
    to: number,
    topology: number | null,
    actor: string,
    commands: readonly SentCommand[],
    alternative?: Alternative,
  ): Promise<readonly CommandAnswer[]> {
    const called = this.cellOf(to);
    const { node } = called;
    const cell = {
      enter: () => node.enter({ cell: to, topology }),
      loadOf: (kind: string) => this.#digestOf(to).loadOf(kind, this.now),
      run: node.run.bind(node),
      handOn: (id: string, other: number) =>
        called.run("mesh", [{ name: "hand_on_task", input: { id, to: other } }]),
    };
    const served = await serveCall(cell, { actor, commands, alternative });
    switch (served.type) {
      case "moved":
        throw new TopologyChanged(served.topology);
      case "refused":
        return commands.map(() => err(served.error));
      case "elsewhere":
        return served.load === null ? NOTHING_KNOWN : ELSEWHERE_BETTER;
      case "ran":
        return served.answers;
      default:
        return served satisfies never;
    }
  }
}
