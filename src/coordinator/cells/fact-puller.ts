import { SECOND, type Millis } from "../../base/clock.ts";
import { withDeadline } from "../../base/deadline.ts";
import type { Result } from "../../base/result.ts";
import type { Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { FactChange, FactPlace } from "../../registry/fact-tables.ts";
import type { CellCalls } from "./cell-calls.ts";

type Calls = Pick<CellCalls, "registry" | "now" | "ask" | "runHere" | "self">;

/** How long a cell that knows the facts of some time waits for cell 0 before it goes on with them. */
const CHECK_TIMEOUT: Millis = 2 * SECOND;
/** After a check that failed, such a cell goes on for so long before it asks again. */
const CHECK_PAUSE: Millis = 5 * SECOND;
/** Facts that change while their pages are read are read again. */
const READS_MAX = 5;

/**
 * Brings the facts of the mesh to a cell, besides the messages that cell 0 sends. A cell that knows none serves nobody before it has all
 * of them. One that has begun anew, or that knows another topology than before, asks cell 0 whether it has missed any; without an answer it
 * goes on with what it has.
 */
export class FactPuller {
  readonly #calls: Calls;
  /** The version of the topology for which the facts were compared with those of cell 0. */
  #checkedFor: number | null = null;
  #pausedUntil: Millis = 0;
  #running: Promise<boolean> | null = null;
  #next: Promise<boolean> | null = null;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Whether the cell may serve, once it has learned what it must. */
  async isReady(): Promise<boolean> {
    const { registry, now } = this.#calls;
    if (registry.facts.version === null) return this.#running ?? this.refresh();
    if (this.#checkedFor === registry.cells.topology.version || now() < this.#pausedUntil)
      return true;
    await withDeadline(this.#running ?? this.refresh(), CHECK_TIMEOUT).catch(() => false);
    return true;
  }

  /** Learns what cell 0 knows at this time or later. False if it does not answer. */
  refresh(): Promise<boolean> {
    // What is under way may have begun before the change that the caller is interested in.
    if (this.#running !== null) {
      this.#next ??= this.#running.then(() => this.#start());
      return this.#next;
    }
    return this.#start();
  }

  #start(): Promise<boolean> {
    this.#next = null;
    this.#running = this.#learn().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #learn(): Promise<boolean> {
    const { registry, now } = this.#calls;
    const topology = registry.cells.topology.version;
    const learned = await this.#learnAll();
    if (learned) this.#checkedFor = topology;
    else this.#pausedUntil = now() + CHECK_PAUSE;
    return learned;
  }

  async #learnAll(): Promise<boolean> {
    const { registry, runHere, ask, self } = this.#calls;
    const newest = await ask(0, self, "get_facts_version", {});
    if (!newest.ok) return false;
    if (registry.facts.version === newest.value.version) return true;
    for (let reads = 0; reads < READS_MAX; reads++) {
      const read = await this.#readAll();
      if (read === "no_answer") return false;
      const learned = read === "changed" ? null : await runHere("mesh", "learn_facts", read);
      if (learned?.ok && learned.value.learned) return true;
    }
    return false;
  }

  /** All pages, if all of them are of one version. */
  async #readAll(): Promise<
    { readonly version: number; readonly changes: readonly FactChange[] } | "changed" | "no_answer"
  > {
    const { ask, self } = this.#calls;
    const changes: FactChange[] = [];
    let version: number | null = null;
    let from: FactPlace | null = null;
    for (;;) {
      const page: Result<Output<"get_facts">, MusterError> = await ask(0, self, "get_facts", {
        from,
      });
      if (!page.ok) return "no_answer";
      version ??= page.value.version;
      if (page.value.version !== version) return "changed";
      changes.push(...page.value.changes);
      from = page.value.next;
      if (from === null) return { version, changes };
    }
  }
}
