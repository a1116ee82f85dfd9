/** What a value is, by its first character. `true`, `false` and `null` are literals. */
export type JsonKind = "object" | "array" | "string" | "number" | "literal";

/**
 * Is told of the structure of a JSON text, in the order of the text. Positions count UTF-16 code units from the start of
 * the whole text; `end` is the position after the last character, so `text(start, end)` of a scanner is the exact text.
 */
export interface JsonVisitor {
  /** A value begins. To read its text at its end, call `keep(start)` of the scanner. */
  begin(kind: JsonKind, start: number): void;
  end(kind: JsonKind, end: number): void;
  /** The decoded name of the member whose value follows; null if it is longer than `maxKeyLength`. */
  key(name: string | null, start: number, end: number): void;
}

export interface JsonScannerLimits {
  /** The deepest nesting of objects and arrays. */
  readonly maxDepth: number;
  /** Values in the text, objects and arrays included. */
  readonly maxValues?: number;
  /** The longest key, in characters as written with its quotes, that is kept across chunks and reported by name. */
  readonly maxKeyLength?: number;
}

export interface JsonFault {
  readonly code: "invalid_json" | "too_deep" | "too_many_values";
  /** Position of the character at which the text stops being valid, in UTF-16 code units. */
  readonly at: number;
  readonly detail: string;
}
