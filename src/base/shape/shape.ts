/**
 * What a JSON value from another program looks like, as data. The mesh's own schemas need a library that is several times as large as the
 * SDK; the SDK's shapes are made of them, and read by `readShape` with the same outcomes and the same words.
 */
export type Shape =
  | { readonly is: "unknown" | "boolean" | "null" }
  | StringShape
  | NumberShape
  | { readonly is: "one"; readonly of: readonly (string | number | boolean | null)[] }
  | ListShape
  | { readonly is: "record"; readonly of: Shape }
  | { readonly is: "object"; readonly of: Fields }
  | { readonly is: "any"; readonly of: readonly Shape[] }
  | { readonly is: "or null"; readonly of: Shape }
  /** May be absent; with `by` it is that then. */
  | { readonly is: "optional"; readonly of: Shape; readonly by?: unknown }
  /** May be absent inside, and must not be nevertheless. */
  | { readonly is: "required"; readonly of: Shape }
  /** Whatever does not match is `by`. */
  | { readonly is: "lenient"; readonly of: Shape; readonly by: unknown }
  /** What was read, changed. */
  | { readonly is: "changed"; readonly of: Shape; readonly to: Change };

export interface StringShape {
  readonly is: "string";
  /** What is said of a value of another type. */
  readonly says?: string;
  readonly min?: number;
  readonly max?: number;
  /** Checked in this order, each with what is said when it does not match. */
  readonly patterns?: readonly (readonly [pattern: RegExp, message: string])[];
  /** White space around it does not count. */
  readonly trim?: true;
  /** It is the base64 of this many bytes. */
  readonly bytes?: readonly [count: number, message: string];
}

export interface NumberShape {
  readonly is: "number";
  readonly int?: true;
  /** Checked in this order. */
  readonly limits?: readonly (readonly [sign: "<" | "<=" | ">" | ">=", limit: number])[];
}

export interface ListShape {
  readonly is: "list";
  readonly of: Shape;
  readonly min?: number;
  readonly max?: number;
}

/** To null when absent, to the text of JSON, to lower case, to its first characters, or to another value. */
export type Change =
  | "json"
  | "exact"
  | "lower case"
  | readonly ["cut", number]
  | readonly ["value", unknown];

/** The fields of an object. Others are skipped. */
export type Fields = { readonly [name: string]: Shape };

declare const READ: unique symbol;
/** A shape whose values are `T`. */
export type Typed<T> = Shape & { readonly [READ]?: T };
