import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import {
  TASK_PAYLOAD_BYTES_MAX,
  WEBHOOK_COMPARED_BYTES_MAX,
  WEBHOOK_SELECTED_BYTES_MAX,
} from "../../protocol/constants.ts";
import type { PathNode, Use } from "./path-tree.ts";

/** The text of one value, in bytes. What is mapped must fit into a task. */
const VALUE_BYTES_MAX: Readonly<Record<Use, number>> = {
  mapped: TASK_PAYLOAD_BYTES_MAX,
  compared: WEBHOOK_COMPARED_BYTES_MAX,
};
/** Values that match a node of the tree at the same time, 200 to 500 bytes each. */
const MATCHES_MAX = 20_000;

/** The text of a value; null if it was too large to be kept. */
export type KeptValue = { readonly text: string } | null;

/** A value of the event at which a node of the path tree matches, and what was found in it. */
export interface Match {
  readonly node: PathNode;
  readonly values: Map<Use, KeptValue>;
  readonly names: Map<string, Match>;
  readonly indexes: Map<number, Match>;
  readonly fromEnd: Map<number, Match>;
  /** While an array is read: by index from the end, the elements that may still be the one, by their index. */
  readonly candidates: Map<number, Map<number, Match>>;
  /** Bytes of the texts in `values`. */
  readonly bytes: Record<Use, number>;
  /** Whether something in this value matched and was not kept, because there was too much already. */
  incomplete: boolean;
}

/** What one selection may keep. Whatever the event contains, no more than this is in memory. */
export class SelectionBudget {
  readonly #room: Record<Use, number> = {
    mapped: WEBHOOK_SELECTED_BYTES_MAX,
    compared: WEBHOOK_SELECTED_BYTES_MAX,
  };
  #matches = MATCHES_MAX;

  /** A new match; null if there are too many. */
  match(node: PathNode): Match | null {
    if (this.#matches === 0) return null;
    this.#matches--;
    return {
      node,
      values: new Map(),
      names: new Map(),
      indexes: new Map(),
      fromEnd: new Map(),
      candidates: new Map(),
      bytes: { mapped: 0, compared: 0 },
      incomplete: false,
    };
  }

  take(use: Use, bytes: number): boolean {
    if (bytes > this.#room[use]) return false;
    this.#room[use] -= bytes;
    return true;
  }

  giveBack(use: Use, bytes: number): void {
    this.#room[use] += bytes;
  }

  /** Another value took this one's place. */
  drop(match: Match | undefined): void {
    if (match === undefined) return;
    this.#matches++;
    this.giveBack("mapped", match.bytes.mapped);
    this.giveBack("compared", match.bytes.compared);
    for (const children of [match.names, match.indexes, match.fromEnd])
      for (const child of children.values()) this.drop(child);
    for (const elements of match.candidates.values())
      for (const element of elements.values()) this.drop(element);
  }
}

/** The text of a value while it is read. */
export class Capture {
  readonly #match: Match;
  readonly #use: Use;
  /** Copies: a part of a string would keep the whole chunk in memory. */
  #parts: Uint8Array[] | null = [];
  #bytes = 0;
  /** Position of the first character that is not in `#parts` yet. */
  next: number;

  constructor(match: Match, use: Use, start: number) {
    this.#match = match;
    this.#use = use;
    this.next = start;
  }

  append(budget: SelectionBudget, text: string): void {
    this.next += text.length;
    if (this.#parts === null) return;
    const max = VALUE_BYTES_MAX[this.#use] - this.#bytes;
    const part = text.length > max ? null : utf8(text);
    if (part !== null && part.length <= max && budget.take(this.#use, part.length)) {
      this.#parts.push(part);
      this.#bytes += part.length;
      return;
    }
    budget.giveBack(this.#use, this.#bytes);
    this.#parts = null;
    this.#bytes = 0;
  }

  end(): void {
    const text = this.#parts === null ? null : fromUtf8(concat(...this.#parts));
    this.#match.values.set(this.#use, text === null ? null : { text });
    this.#match.bytes[this.#use] = this.#bytes;
  }
}
