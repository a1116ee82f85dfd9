import type { JsonKind, JsonVisitor } from "../../base/json-text/events.ts";
import { JSON_DEPTH_MAX } from "../../base/json.ts";
import { JsonScanner } from "../../base/json-text/scanner.ts";
import { PATH_CHARS_MAX, type JsonPath } from "../json-path.ts";
import { Capture, SelectionBudget, type KeptValue, type Match } from "./match.ts";
import { childAt, type PathNode, type Use } from "./path-tree.ts";

/** What a path selects: the text of a value; null if the value was too large to be kept; undefined if there is none. */
export type Selected = KeptValue | undefined;

/** The values that were selected of an event. */
export interface SelectedValues {
  find(path: JsonPath, use: Use): Selected;
}

/** A longer key is in no path: each of its characters may be written in six. */
const KEY_CHARS_MAX = 6 * PATH_CHARS_MAX + 2;

interface Container {
  readonly kind: "object" | "array";
  readonly matches: readonly Match[];
  /** Of an object: the name of the member that is read; null if it is longer than any in a path. */
  key: string | null;
  /** Of an array: the index of the element that is read; -1 before the first. */
  index: number;
}

/**
 * Selects values of a JSON text that comes in chunks, and keeps their text exactly. It holds what is selected and no other
 * part of the text. Of members with the same name the last one counts, as for `JSON.parse`.
 */
export class JsonSelector implements SelectedValues {
  readonly #tree: PathNode;
  readonly #budget = new SelectionBudget();
  readonly #scanner: JsonScanner;
  readonly #containers: Container[] = [];
  readonly #captures: Capture[] = [];
  /** Open containers in which no path can match. */
  #skipped = 0;
  #root: Match | null = null;
  #rootKind: JsonKind | null = null;
  /** Of the string, number or literal that is read. */
  #scalarMatches: readonly Match[] = [];
  #chunk = "";
  /** Position of the chunk's first character. */
  #chunkStart = 0;

  constructor(tree: PathNode) {
    this.#tree = tree;
    const visitor: JsonVisitor = {
      begin: (kind, start) => this.#begin(kind, start),
      end: (kind, end) => this.#end(kind, end),
      key: (name) => {
        const container = this.#containers.at(-1);
        if (this.#skipped === 0 && container !== undefined) container.key = name;
      },
    };
    const limits = { maxDepth: JSON_DEPTH_MAX, maxKeyLength: KEY_CHARS_MAX };
    this.#scanner = new JsonScanner(visitor, limits);
  }

  /** Whether the text can still be JSON. */
  write(chunk: string): boolean {
    this.#chunk = chunk;
    const fault = this.#scanner.write(chunk);
    for (const capture of this.#captures) this.#append(capture, this.#chunkStart + chunk.length);
    this.#chunkStart += chunk.length;
    this.#chunk = "";
    return fault === null;
  }

  /** Whether the text was JSON. */
  finish(): boolean {
    return this.#scanner.finish() === null;
  }

  get isObject(): boolean {
    return this.#rootKind === "object";
  }

  find({ segments }: JsonPath, use: Use): Selected {
    let match = this.#root;
    if (match === null) return undefined;
    for (const segment of segments) {
      const child: Match | undefined = childAt(match, segment);
      if (child === undefined) return match.incomplete ? null : undefined;
      match = child;
    }
    return match.values.get(use);
  }

  #begin(kind: JsonKind, start: number): void {
    const isContainer = kind === "object" || kind === "array";
    if (this.#skipped > 0) {
      if (isContainer) this.#skipped++;
      return;
    }
    this.#rootKind ??= kind;
    const matches = this.#matchesOfValue();
    for (const match of matches)
      for (const use of match.node.uses) this.#captures.push(new Capture(match, use, start));
    if (!isContainer) this.#scalarMatches = matches;
    else if (matches.length === 0) this.#skipped = 1;
    else this.#containers.push({ kind, matches, key: null, index: -1 });
  }

  #end(kind: JsonKind, end: number): void {
    const isContainer = kind === "object" || kind === "array";
    if (this.#skipped > 0) {
      if (isContainer) this.#skipped--;
      return;
    }
    const container = isContainer ? this.#containers.pop() : undefined;
    const matches = container?.matches ?? this.#scalarMatches;
    for (const match of matches) {
      if (container !== undefined && kind === "array")
        this.#countFromEnd(match, container.index + 1);
      for (let uses = match.node.uses.size; uses > 0; uses--) this.#endCapture(end);
    }
  }

  /** The captures of values inside this one have ended before. */
  #endCapture(end: number): void {
    const capture = this.#captures.pop();
    if (capture === undefined) return;
    this.#append(capture, end);
    capture.end();
  }

  #append(capture: Capture, end: number): void {
    const from = capture.next - this.#chunkStart;
    capture.append(this.#budget, this.#chunk.slice(from, end - this.#chunkStart));
  }

  /** The matches of the value that begins. */
  #matchesOfValue(): readonly Match[] {
    const container = this.#containers.at(-1);
    if (container === undefined) {
      this.#root = this.#budget.match(this.#tree);
      return this.#root === null ? [] : [this.#root];
    }
    const matches: Match[] = [];
    if (container.kind === "array") {
      const index = ++container.index;
      for (const parent of container.matches) this.#matchElement(parent, index, matches);
    } else if (container.key !== null) {
      for (const parent of container.matches)
        this.#matchChild(parent, parent.node.names, parent.names, container.key, matches);
    }
    return matches;
  }

  #matchElement(parent: Match, index: number, matches: Match[]): void {
    this.#matchChild(parent, parent.node.indexes, parent.indexes, index, matches);
    for (const [fromEnd, node] of parent.node.fromEnd) {
      const candidates = parent.candidates.get(fromEnd) ?? new Map<number, Match>();
      parent.candidates.set(fromEnd, candidates);
      this.#budget.drop(candidates.get(index + fromEnd));
      candidates.delete(index + fromEnd);
      this.#matchChild(parent, new Map([[index, node]]), candidates, index, matches);
    }
  }

  #matchChild<K>(
    parent: Match,
    nodes: ReadonlyMap<K, PathNode>,
    children: Map<K, Match>,
    segment: K,
    matches: Match[],
  ): void {
    const node = nodes.get(segment);
    if (node === undefined) return;
    this.#budget.drop(children.get(segment));
    const match = this.#budget.match(node);
    if (match === null) {
      children.delete(segment);
      parent.incomplete = true;
      return;
    }
    children.set(segment, match);
    matches.push(match);
  }

  /** Of the candidates for each index from the end, the one that it is. */
  #countFromEnd(match: Match, length: number): void {
    for (const [fromEnd, candidates] of match.candidates) {
      for (const [index, element] of candidates) {
        if (index === length + fromEnd) match.fromEnd.set(fromEnd, element);
        else this.#budget.drop(element);
      }
    }
    match.candidates.clear();
  }
}
