import type { Random } from "../../base/clock.ts";
import { activeCells } from "../../cells/topology.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MoveOffer } from "../../contract/task-moves.ts";
import type { CellPorts } from "../cells/cell-calls.ts";

/** Cells that are asked for room at a look, drawn at random. */
const ASKED = 2;
/** Further cells that are asked, in turn, while nobody here can take some tasks. */
const ASKED_IN_TURN = 6;

/** Moves queued tasks to cells where they can begin. One look at a time; it never throws. */
export class TaskMover {
  readonly #ports: CellPorts;
  readonly #random: Random;
  #looking: Promise<void> | null = null;
  /** The cell that is asked next, in turn. */
  #next = 0;

  constructor(ports: CellPorts, random: Random) {
    this.#ports = ports;
    this.#random = random;
  }

  /** Looks whether tasks should move, if it is time to. */
  run(): Promise<void> {
    const { cells, taskMoveClock } = this.#ports.registry;
    if (cells.isSingle || this.#looking !== null || !taskMoveClock.begins())
      return this.#looking ?? Promise.resolve();
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { registry, now } = this.#ports;
    const listed = await this.#run("list_moves", {});
    const offers = listed?.offers ?? [];
    let moved = 0;
    for (const offer of offers)
      if (offer.to !== null) moved += await this.#move(offer.to, offer, offer.count);
    const open = offers.filter(({ to }) => to === null);
    if (open.length > 0) moved += await this.#moveToRoom(open);
    registry.taskMoveClock.ended(now(), moved > 0);
  }

  async #moveToRoom(offers: readonly MoveOffer[]): Promise<number> {
    const answers = await this.#askAll(offers);
    let moved = 0;
    for (const [at, offer] of offers.entries()) {
      let left = offer.count;
      const byPlaces = answers.toSorted((a, b) => b.placesAt(at) - a.placesAt(at));
      for (const { cell, placesAt } of byPlaces) {
        const places = Math.min(left, placesAt(at));
        if (places <= 0) break;
        const gone = await this.#move(cell, offer, places);
        left -= gone;
        moved += gone;
      }
      const last = left > 0 ? withoutRoom(offer, at, answers) : null;
      if (last !== null) moved += await this.#move(last.cell, offer, Math.min(left, last.most));
    }
    return moved;
  }

  /** Asks some cells how much room they have. One that does not answer has none. */
  async #askAll(offers: readonly MoveOffer[]): Promise<readonly Answer[]> {
    const { registry, call } = this.#ports;
    const { own } = registry.cells;
    const asked = offers.map(({ shape, owner, count }) => ({ shape, owner, count }));
    const cells = this.#cellsToAsk(offers.some(({ reason }) => reason === "unable"));
    const answers = await Promise.all(
      cells.map(async (cell) => {
        const sent = [{ name: "ask_room", input: { offers: asked } }] as const;
        const [answer] = await call(cell, `cell:${own}`, sent);
        if (answer === undefined || !answer.ok) return null;
        const { rooms, waiting } = answer.value as Output<"ask_room">;
        return {
          cell,
          waiting,
          placesAt: (at: number) => rooms[at]?.places ?? 0,
          queueAt: (at: number) => rooms[at]?.queue ?? 0,
        };
      }),
    );
    return answers.filter((answer) => answer !== null);
  }

  #cellsToAsk(isRare: boolean): readonly number[] {
    const { own, topology } = this.#ports.registry.cells;
    const others = activeCells(topology).filter((cell) => cell !== own);
    const asked = new Set<number>();
    for (const left = [...others]; asked.size < ASKED && left.length > 0;) {
      const [drawn] = left.splice(Math.floor(this.#random() * left.length), 1);
      if (drawn !== undefined) asked.add(drawn);
    }
    const inTurn = isRare ? Math.min(ASKED_IN_TURN, others.length) : 0;
    for (let turn = 0; turn < inTurn; turn++)
      asked.add(others[this.#next++ % others.length] as number);
    return [...asked];
  }

  async #move(to: number, offer: MoveOffer, limit: number): Promise<number> {
    const answer = await this.#run("move_tasks", { to, offer, limit });
    return answer?.moved ?? 0;
  }

  async #run<K extends CommandName>(name: K, input: Input<K>): Promise<Output<K> | null> {
    const [answer] = await this.#ports.run("mesh", [{ name, input }]);
    return answer?.ok === true ? (answer.value as Output<K>) : null;
  }
}

/** What a cell has answered. */
interface Answer {
  readonly cell: number;
  readonly waiting: number;
  readonly placesAt: (at: number) => number;
  readonly queueAt: (at: number) => number;
}

/** A cell, and how many tasks it may get. */
interface Last {
  readonly cell: number;
  readonly most: number;
}

/** The cell that gets tasks although nobody there has room: it could take them later, or this cell gives everything away. */
function withoutRoom({ reason }: MoveOffer, at: number, answers: readonly Answer[]): Last | null {
  if (reason === "full" || reason === "excluded" || reason === "failed") return null;
  const able = answers.filter(({ queueAt }) => queueAt(at) > 0);
  const [shortest] = (able.length > 0 ? able : answers).toSorted((a, b) => a.waiting - b.waiting);
  if (shortest === undefined) return null;
  const { cell, queueAt } = shortest;
  // Everything leaves a cell that drains, whatever the others have.
  const most = reason === "draining" ? Number.POSITIVE_INFINITY : queueAt(at);
  return most > 0 ? { cell, most } : null;
}
