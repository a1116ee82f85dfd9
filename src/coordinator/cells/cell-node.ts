import { err } from "../../base/result.ts";
import type { Topology } from "../../cells/topology.ts";
import type { CommandAnswer, Output, SentCommand } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { before } from "./before.ts";
import { pullPage } from "./pull-page.ts";
import type { CellCalls, CellPorts } from "./cell-calls.ts";
import { FactPuller } from "./fact-puller.ts";
import { tokenOf } from "../kernel/execute.ts";

/** The cell to which a call goes, and the version of the topology by which its caller knows that; null if it does not matter. */
export interface Target {
  readonly cell: number;
  readonly topology: number | null;
}

/**
 * One cell among others: it knows which cells there are, refuses callers who know less, and asks other cells before it runs a command that
 * concerns them. All of this is skipped in a mesh of one cell.
 */
export class CellNode {
  readonly #ports: CellPorts;
  readonly #calls: CellCalls;
  readonly #facts: FactPuller;
  #learning: Promise<boolean> | null = null;

  constructor(ports: CellPorts) {
    this.#ports = ports;
    const { registry, now } = ports;
    const calls = {
      registry,
      now,
      runHere: async (actor, name, input) =>
        onlyAnswer(await ports.run(actor, [{ name, input }])) as never,
      ask: async (cell, actor, name, input) =>
        onlyAnswer(await ports.call(cell, actor, [{ name, input }])) as never,
      get self() {
        return `cell:${registry.cells.own}`;
      },
    } satisfies Omit<CellCalls, "refreshFacts">;
    const facts = new FactPuller(calls);
    this.#facts = facts;
    this.#calls = Object.assign(calls, { refreshFacts: () => facts.refresh() });
  }

  /**
   * Whether a call may go on, once the cell knows as much as its caller. Null if it may. The topology, if the caller has to ask again by
   * it; an error if the cell does not learn the topology.
   */
  async enter({ cell, topology }: Target): Promise<Topology | MusterError | null> {
    const { cells } = this.#ports.registry;
    if (cell === 0 && cells.isSingle) await this.#adopt();
    // Cell 0 decides the topology, so it knows the newest one.
    const isKnown = cell === 0 || (cell === cells.own && (topology ?? 0) <= cells.topology.version);
    if (!isKnown && !(await this.#learn(cell))) return NOT_LEARNED;
    if (cell !== 0 && !(await this.#facts.isReady())) return NO_FACTS;
    if (topology === null || topology === cells.topology.version) return null;
    return topology < cells.topology.version || cell === 0 ? cells.topology : NOT_LEARNED;
  }

  /** Runs a caller's commands, each after what other cells have to say to it. */
  async run(actor: string, commands: readonly SentCommand[]): Promise<readonly CommandAnswer[]> {
    const { registry, run } = this.#ports;
    if (registry.cells.isSingle || actor.startsWith("cell:")) return run(actor, commands);
    if (!(await this.#knowsToken(actor))) return commands.map(() => err(NO_FACTS));
    const [first, ...others] = commands;
    const work = first === undefined ? null : this.#workBefore(actor, first);
    const isFree =
      work === null && others.every((other) => this.#workBefore(actor, other) === null);
    const ran = isFree ? await run(actor, commands) : [];
    const answers: CommandAnswer[] = [];
    for (const [index, command] of commands.entries()) {
      // What is to be done before a later command may depend on those before it.
      const known = index === 0 ? work : undefined;
      const answer = ran[index] ?? (await this.#runOne(actor, command, known));
      answers.push(await this.#unlessMoved(actor, command, answer));
    }
    return answers;
  }

  /** Fetches the next page of the peers of a cell that belong here. Throws if the cell does not answer. */
  pullPeers(cell: number): Promise<void> {
    return pullPage(this.#calls, cell);
  }

  #workBefore(actor: string, { name, input }: SentCommand) {
    return before(this.#calls, name, input, actor);
  }

  /** @param known what is to be done before the command, if that is known already */
  async #runOne(
    actor: string,
    command: SentCommand,
    known = this.#workBefore(actor, command),
  ): Promise<CommandAnswer> {
    const { cells } = this.#ports.registry;
    let work = known;
    for (let tries = 0; tries < TRIES; tries++) {
      const { version } = cells.topology;
      const given = (await work?.()) ?? null;
      if (given !== null) return given;
      // What other cells have said holds as long as there are the same cells: meanwhile this one may have been another cell's former home.
      if (work === null || cells.topology.version === version)
        return onlyAnswer(await this.#ports.run(actor, [command]));
      work = this.#workBefore(actor, command);
    }
    return err(CELLS_CHANGE);
  }

  /** What a command is about may have moved to another cell while the command waited for its turn. */
  async #unlessMoved(
    actor: string,
    command: SentCommand,
    answer: CommandAnswer,
  ): Promise<CommandAnswer> {
    const isMissing = !answer.ok && answer.error.code === "not_found";
    if (!isMissing || this.#workBefore(actor, command) === null) return answer;
    return this.#runOne(actor, command);
  }

  /** Whether the token of a caller can be judged: one that is not known here may have been created a moment ago. */
  async #knowsToken(actor: string): Promise<boolean> {
    const { registry, now } = this.#ports;
    const token = tokenOf(actor);
    if (token === null || registry.cells.own === 0) return true;
    const { apiTokens } = registry;
    if (!apiTokens.isOver(token, now()) || apiTokens.get(token) !== null) return true;
    return this.#facts.refresh();
  }

  /** In cell 0: any command makes the configured number of cells the topology. */
  async #adopt(): Promise<void> {
    const { registry, run } = this.#ports;
    const input = { own: 0, topology: registry.cells.topology };
    await run("mesh", [{ name: "learn_topology", input }]);
  }

  /** Asks cell 0 for the topology. */
  #learn(own: number): Promise<boolean> {
    this.#learning ??= this.#askForTopology(own).finally(() => {
      this.#learning = null;
    });
    return this.#learning;
  }

  async #askForTopology(own: number): Promise<boolean> {
    const { run, call } = this.#ports;
    const answer = onlyAnswer(await call(0, `cell:${own}`, [{ name: "get_topology", input: {} }]));
    if (!answer.ok) return false;
    const { topology } = answer.value as Output<"get_topology">;
    const input = { own, topology };
    return onlyAnswer(await run("mesh", [{ name: "learn_topology", input }])).ok;
  }
}

/** How often other cells are asked before a command, if the cells of the mesh change each time. */
const TRIES = 3;

const CELLS_CHANGE: MusterError = {
  code: "unavailable",
  detail: "the number of cells of the mesh changes; try again",
  retryAfter: 1,
};

const NOT_LEARNED: MusterError = {
  code: "unavailable",
  detail:
    "this cell does not know the cells of the mesh yet, because cell 0 does not answer; try again",
  retryAfter: 2,
};

const NO_FACTS: MusterError = {
  code: "unavailable",
  detail:
    "this cell does not know the tokens and settings of the mesh yet, because cell 0 does not answer; try again",
  retryAfter: 2,
};

const onlyAnswer = ([answer]: readonly CommandAnswer[]): CommandAnswer =>
  answer ?? err(NOT_LEARNED);
