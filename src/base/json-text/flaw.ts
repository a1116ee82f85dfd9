import type { JsonKind, JsonVisitor } from "./events.ts";
import { JsonPath, showPath } from "./path.ts";
import { scanJson } from "./scan-json.ts";

/** Why a text can't be passed on as it is, in words, and where. */
export interface JsonFlaw {
  readonly path: string;
  readonly message: string;
}

/**
 * The first thing in a JSON text that some reader would change in silence: a number that no double holds, a key that occurs twice in
 * its object, or half of a surrogate pair (Go writes U+FFFD instead). Also what is not JSON, or too deep. `root` names the value.
 */
export function jsonFlaw(text: string, root: string, maxDepth: number): JsonFlaw | null {
  const visitor = new FlawFinder(text, root);
  const fault = scanJson(text, visitor, { maxDepth });
  if (visitor.flaw !== null) return visitor.flaw;
  if (fault === null) return null;
  const place = fault.code === "invalid_json" ? ` (at character ${fault.at})` : "";
  return { path: root, message: `${fault.detail}${place}` };
}

/** Cheap tests of the whole text, so that few texts have their numbers and strings looked at one by one. */
const MAY_HOLD_HUGE_NUMBER = /[eE]\+?\d{3}|\d{300}/;
const MAY_HOLD_HALF_PAIR = /\\u[dD][89a-fA-F]/;

class FlawFinder implements JsonVisitor {
  flaw: JsonFlaw | null = null;
  readonly #text: string;
  readonly #root: string;
  readonly #path = new JsonPath();
  /** The keys of each open object; null as long as there is none, and for an array. */
  readonly #keys: (Set<string> | null)[] = [];
  readonly #checksNumbers: boolean;
  readonly #checksStrings: boolean;
  #start = 0;

  constructor(text: string, root: string) {
    this.#text = text;
    this.#root = root;
    this.#checksNumbers = MAY_HOLD_HUGE_NUMBER.test(text);
    this.#checksStrings = MAY_HOLD_HALF_PAIR.test(text) || !text.isWellFormed();
  }

  begin(kind: JsonKind, start: number): void {
    this.#path.value();
    this.#path.open(kind);
    if (kind === "object" || kind === "array") this.#keys.push(null);
    else this.#start = start;
  }

  key(name: string): void {
    this.#path.key(name);
    const last = this.#keys.length - 1;
    const keys = this.#keys[last] ?? new Set<string>();
    this.#keys[last] = keys;
    if (keys.has(name)) this.#found("this key occurs twice in its object; send it once");
    keys.add(name);
    if (this.#checksStrings && !name.isWellFormed()) this.#found(HALF_PAIR);
  }

  end(kind: JsonKind, end: number): void {
    this.#path.close(kind);
    if (kind === "object" || kind === "array") this.#keys.pop();
    else if (kind === "number" && this.#checksNumbers) this.#checkNumber(end);
    else if (kind === "string" && this.#checksStrings) this.#checkString(end);
  }

  #checkNumber(end: number): void {
    const text = this.#text.slice(this.#start, end);
    if (Number.isFinite(Number(text))) return;
    const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
    this.#found(`the number ${shown} is larger than any double; send it as a string`);
  }

  #checkString(end: number): void {
    const value = JSON.parse(this.#text.slice(this.#start, end)) as string;
    if (!value.isWellFormed()) this.#found(HALF_PAIR);
  }

  #found(message: string): void {
    this.flaw ??= { path: showPath(this.#root, this.#path.segments), message };
  }
}

const SHOWN_MAX = 40;
const HALF_PAIR =
  "the string has half of a surrogate pair, which some readers replace; send text that is valid Unicode";
