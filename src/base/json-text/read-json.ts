import { err, ok, type Result } from "../result.ts";
import type { JsonFault, JsonKind, JsonScannerLimits, JsonVisitor } from "./events.ts";
import { exactJson, JsonText, type ExactJson } from "./json-text.ts";
import { scanJson } from "./scan-json.ts";

/** The path of a member, as names from the root; `EACH` stands for every element of an array. */
export type MemberPath = readonly string[];
export const EACH = "*";

/** The members of a message or a body that keep their text. */
export class ExactMembers {
  readonly root: Node;

  constructor(...paths: readonly MemberPath[]) {
    this.root = node();
    for (const path of paths) {
      let at = this.root;
      for (const name of path) {
        const next = at.next.get(name) ?? node();
        at.next.set(name, next);
        at = next;
      }
      at.isExact = true;
    }
  }
}

/** A place in the tree of all paths. */
interface Node {
  isExact: boolean;
  readonly next: Map<string, Node>;
}
const node = (): Node => ({ isExact: false, next: new Map() });

/**
 * Parses a text like `JSON.parse`, except that each of the members is a `JsonText`, which is not parsed. The rest is an ordinary value.
 */
export function readJson(
  text: string,
  members: ExactMembers,
  limits: JsonScannerLimits,
): Result<unknown, JsonFault> {
  const finder = new Finder(members.root);
  const fault = scanJson(text, finder, limits);
  if (fault !== null) return err(fault);
  const { found } = finder;
  let rest = "";
  let from = 0;
  for (const { start, end } of found) {
    rest += `${text.slice(from, start)}null`;
    from = end;
  }
  let value: unknown = JSON.parse(found.length === 0 ? text : rest + text.slice(from));
  for (const { path, start, end } of found) {
    value = replaced(value, path, new JsonText(text.slice(start, end)));
  }
  return ok(value);
}

/** The exact text of one member, which is there unless the text is not valid. */
export function readMember(
  text: string,
  path: MemberPath,
  limits: JsonScannerLimits,
): ExactJson | null {
  const finder = new Finder(new ExactMembers(path).root);
  const fault = scanJson(text, finder, limits);
  const last = finder.found.at(-1);
  return fault !== null || last === undefined ? null : exactJson(text.slice(last.start, last.end));
}

type Step = string | number;

function replaced(value: unknown, path: readonly Step[], by: JsonText): unknown {
  const last = path.at(-1);
  if (last === undefined) return by;
  let at = value as Record<Step, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<Step, unknown>;
  at[last] = by;
  return value;
}

/** Finds where the exact members stand. Names that lead to none are not looked at. */
class Finder implements JsonVisitor {
  readonly found: {
    readonly path: readonly Step[];
    readonly start: number;
    readonly end: number;
  }[] = [];
  /** The open containers that lead to an exact member. */
  readonly #open: Node[] = [];
  /** For each of them the name or index of its present member. */
  readonly #path: Step[] = [];
  #next: Node | undefined;
  /** Open containers inside of the present member, which leads to no exact one, or is one. */
  #skipped = 0;
  #exactStart: number | null = null;

  constructor(root: Node) {
    this.#next = root;
  }

  begin(kind: JsonKind, start: number): void {
    const isContainer = kind === "object" || kind === "array";
    if (this.#skipped > 0) {
      if (isContainer) this.#skipped++;
      return;
    }
    const last = this.#path.length - 1;
    const index = this.#path[last];
    if (typeof index === "number") {
      this.#path[last] = index + 1;
      this.#next = this.#open[last]?.next.get(EACH);
    }
    const at = this.#next;
    if (at?.isExact === true) this.#exactStart = start;
    if (!isContainer) return;
    if (at === undefined || at.isExact || at.next.size === 0) this.#skipped = 1;
    else {
      this.#open.push(at);
      this.#path.push(kind === "array" ? -1 : "");
    }
  }

  key(name: string | null): void {
    if (this.#skipped > 0) return;
    this.#path[this.#path.length - 1] = name ?? "";
    this.#next = this.#open[this.#open.length - 1]?.next.get(name ?? "");
  }

  end(kind: JsonKind, end: number): void {
    if (this.#skipped > 0) {
      if (kind !== "object" && kind !== "array") return;
      if (--this.#skipped > 0) return;
    } else if (kind === "object" || kind === "array") {
      this.#open.pop();
      this.#path.pop();
    }
    if (this.#exactStart === null) return;
    this.found.push({ path: [...this.#path], start: this.#exactStart, end });
    this.#exactStart = null;
  }
}
