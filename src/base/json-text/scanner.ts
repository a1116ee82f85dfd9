import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isHexDigit,
  isShortEscape,
  isWhiteSpace,
  literalOf,
  LOWER_U,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./characters.ts";
import type { JsonFault, JsonScannerLimits, JsonVisitor } from "./events.ts";
import { KeptText } from "./kept-text.ts";
import { isCompleteNumber, numberNext, numberStart, type NumberState } from "./number.ts";
import { plainUntil } from "./plain-text.ts";
import type { State, StructuralState } from "./state.ts";

const FAULT = -1;

/**
 * Scans a JSON text (RFC 8259) that comes in chunks. It accepts exactly what `JSON.parse` accepts, however the text is
 * split, and reports structure to a visitor; it decodes only keys. Bytes are decoded before by a streaming `TextDecoder` with
 * `fatal: true`. Between two chunks it holds nothing of the text except what the visitor keeps and an unfinished key.
 */
export class JsonScanner {
  readonly #visitor: JsonVisitor;
  readonly #maxDepth: number;
  readonly #maxValues: number;
  readonly #maxKeyLength: number;
  readonly #text = new KeptText();
  #keepFrom = Number.POSITIVE_INFINITY;

  #state: State = "value";
  /** Whether each open container is an object. */
  readonly #open: boolean[] = [];
  #values = 0;
  #fault: JsonFault | null = null;

  /** Whether the string that is being read is a key, where it starts and whether it has an escape. */
  #isKey = false;
  #stringStart = 0;
  #hasEscape = false;
  #hexDigits = 0;
  #number: NumberState = "zero";
  #literal = "";
  #literalLength = 0;

  constructor(visitor: JsonVisitor, limits: JsonScannerLimits) {
    this.#visitor = visitor;
    this.#maxDepth = limits.maxDepth;
    this.#maxValues = limits.maxValues ?? Number.POSITIVE_INFINITY;
    this.#maxKeyLength = limits.maxKeyLength ?? Number.POSITIVE_INFINITY;
  }

  /** Scans the next chunk. After a fault it reads nothing more and returns the same fault again. */
  write(chunk: string): JsonFault | null {
    if (this.#fault !== null) return this.#fault;
    this.#text.begin(chunk);
    let i = 0;
    while (i < chunk.length && i !== FAULT) i = this.#read(chunk, i);
    if (i !== FAULT) this.#text.advance(this.#neededFrom(this.#text.start + chunk.length));
    return this.#fault;
  }

  /** Ends the text: a fault if it is incomplete. */
  finish(): JsonFault | null {
    if (this.#fault !== null) return this.#fault;
    if (this.#state === "number" && isCompleteNumber(this.#number)) this.#endValue("number", 0);
    if (this.#state !== "done") this.#fail(0, "the JSON text is incomplete");
    return this.#fault;
  }

  /** Keeps the text from this position on, which must not be before the current event's. An earlier start stays in force. */
  keep(from: number): void {
    if (from < this.#keepFrom) this.#keepFrom = from;
  }

  /** Keeps nothing any more. */
  release(): void {
    this.#keepFrom = Number.POSITIVE_INFINITY;
  }

  /** Characters kept from earlier chunks: what a caller bounds after each `write`. */
  get keptLength(): number {
    return this.#text.length;
  }

  /** The exact text between two positions, of which the first was kept or lies in the current chunk. */
  text(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  #neededFrom(end: number): number {
    const holdsKey = this.#isKey && end - this.#stringStart <= this.#maxKeyLength;
    return holdsKey ? Math.min(this.#keepFrom, this.#stringStart) : this.#keepFrom;
  }

  /** Reads from `i` on; returns where to continue, or FAULT. */
  #read(chunk: string, i: number): number {
    switch (this.#state) {
      case "string":
        return this.#readString(chunk, i);
      case "escape":
        return this.#readEscape(chunk.charCodeAt(i), i);
      case "hex":
        return this.#readHexDigit(chunk.charCodeAt(i), i);
      case "number":
        return this.#readNumber(chunk, i);
      case "literal":
        return this.#readLiteral(chunk.charCodeAt(i), i);
      case "value":
      case "value_or_close":
      case "key":
      case "key_or_close":
      case "colon":
      case "comma_or_close":
      case "done":
        break;
    }
    const code = chunk.charCodeAt(i);
    return isWhiteSpace(code) ? i + 1 : this.#readStructure(this.#state, code, i);
  }

  #readString(chunk: string, from: number): number {
    const i = plainUntil(chunk, from);
    if (i === chunk.length) return i;
    const code = chunk.charCodeAt(i);
    if (code === QUOTE) return this.#endString(i + 1);
    if (code !== BACKSLASH) return this.#fail(i, "a control character in a string must be escaped");
    this.#hasEscape = true;
    this.#state = "escape";
    return i + 1;
  }

  #readEscape(code: number, i: number): number {
    if (code === LOWER_U) {
      this.#hexDigits = 4;
      this.#state = "hex";
    } else if (isShortEscape(code)) this.#state = "string";
    else return this.#fail(i, "this escape does not exist in JSON");
    return i + 1;
  }

  #readHexDigit(code: number, i: number): number {
    if (!isHexDigit(code)) return this.#fail(i, "\\u needs four hexadecimal digits");
    if (--this.#hexDigits === 0) this.#state = "string";
    return i + 1;
  }

  #readNumber(chunk: string, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const next = numberNext(this.#number, chunk.charCodeAt(i));
      if (next === null) {
        if (!isCompleteNumber(this.#number)) return this.#fail(i, "this is not a JSON number");
        return this.#endValue("number", i);
      }
      this.#number = next;
    }
    return chunk.length;
  }

  #readLiteral(code: number, i: number): number {
    if (code !== this.#literal.charCodeAt(this.#literalLength)) {
      return this.#fail(i, `expected ${this.#literal}`);
    }
    if (++this.#literalLength < this.#literal.length) return i + 1;
    return this.#endValue("literal", i + 1);
  }

  /** Reads one character outside of strings, numbers and literals. */
  #readStructure(state: StructuralState, code: number, i: number): number {
    switch (state) {
      case "value":
        return this.#beginValue(code, i);
      case "value_or_close":
        return code === CLOSE_BRACKET ? this.#close(i) : this.#beginValue(code, i);
      case "key":
        return this.#beginKey(code, i);
      case "key_or_close":
        return code === CLOSE_BRACE ? this.#close(i) : this.#beginKey(code, i);
      case "colon":
        if (code !== COLON) return this.#fail(i, "expected a colon after a key");
        this.#state = "value";
        return i + 1;
      case "comma_or_close": {
        const inObject = this.#open[this.#open.length - 1] === true;
        if (code === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) return this.#close(i);
        if (code !== COMMA) return this.#fail(i, `expected a comma or ${inObject ? "}" : "]"}`);
        this.#state = inObject ? "key" : "value";
        return i + 1;
      }
      case "done":
        break;
    }
    return this.#fail(i, "there is text after the end of the JSON value");
  }

  #beginValue(code: number, i: number): number {
    if (++this.#values > this.#maxValues) {
      const detail = `the JSON text has more than ${this.#maxValues} values`;
      return this.#fail(i, detail, "too_many_values");
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) return this.#openContainer(code, i);
    const kind = this.#beginScalar(code, this.#text.start + i);
    if (kind === null) return this.#fail(i, "expected a JSON value");
    this.#visitor.begin(kind, this.#text.start + i);
    return i + 1;
  }

  #beginScalar(code: number, at: number): "string" | "number" | "literal" | null {
    if (code === QUOTE) {
      this.#beginString(at);
      return "string";
    }
    const number = numberStart(code);
    if (number !== null) {
      this.#number = number;
      return (this.#state = "number");
    }
    const literal = literalOf(code);
    if (literal === null) return null;
    this.#literal = literal;
    this.#literalLength = 1;
    return (this.#state = "literal");
  }

  #openContainer(code: number, i: number): number {
    if (this.#open.length >= this.#maxDepth) {
      const detail = `the JSON text is nested deeper than ${this.#maxDepth} levels`;
      return this.#fail(i, detail, "too_deep");
    }
    const isObject = code === OPEN_BRACE;
    this.#open.push(isObject);
    this.#state = isObject ? "key_or_close" : "value_or_close";
    this.#visitor.begin(isObject ? "object" : "array", this.#text.start + i);
    return i + 1;
  }

  #close(i: number): number {
    return this.#endValue(this.#open.pop() === true ? "object" : "array", i + 1);
  }

  #endValue(kind: Parameters<JsonVisitor["end"]>[0], i: number): number {
    this.#state = this.#open.length === 0 ? "done" : "comma_or_close";
    this.#visitor.end(kind, this.#text.start + i);
    return i;
  }

  #beginKey(code: number, i: number): number {
    if (code !== QUOTE) return this.#fail(i, "expected a key in double quotes");
    this.#beginString(this.#text.start + i);
    this.#isKey = true;
    return i + 1;
  }

  #beginString(at: number): void {
    this.#stringStart = at;
    this.#hasEscape = false;
    this.#state = "string";
  }

  #endString(i: number): number {
    if (!this.#isKey) return this.#endValue("string", i);
    this.#isKey = false;
    this.#state = "colon";
    const start = this.#stringStart;
    const end = this.#text.start + i;
    this.#visitor.key(this.#keyName(start, end), start, end);
    return i;
  }

  #keyName(start: number, end: number): string | null {
    if (end - start > this.#maxKeyLength) return null;
    if (!this.#hasEscape) return this.#text.slice(start + 1, end - 1);
    return JSON.parse(this.#text.slice(start, end)) as string;
  }

  #fail(i: number, detail: string, code: JsonFault["code"] = "invalid_json"): typeof FAULT {
    this.#fault = { code, at: this.#text.start + i, detail };
    return FAULT;
  }
}
