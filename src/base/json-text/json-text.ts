declare const EXACT: unique symbol;

/**
 * A JSON value as the text that came, in memory and in storage. At run time it is a string; as a type it is neither a string nor JSON, so
 * that it is never encoded a second time. At the edges, where messages and bodies are read and written, it becomes a `JsonText`.
 */
export interface ExactJson {
  readonly [EXACT]: "JSON text";
}

/** Takes a text as JSON. The caller knows that it is: it was scanned, or `JSON.stringify` wrote it. */
export const exactJson = (text: string): ExactJson => text as unknown as ExactJson;
export const textOfJson = (json: ExactJson): string => json as unknown as string;
/** The text of a value of the mesh's own. Values of callers keep the text that they came with. */
export const exactJsonOf = (value: unknown): ExactJson => exactJson(JSON.stringify(value));

export const NULL_JSON = exactJson("null");

/**
 * A JSON value that is sent as exactly this text: `new JsonText('{"id": 9007199254740993}')`. It may stand for a payload, for a
 * result, and for any value inside them.
 */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** `JSON.stringify` would write other text: use `writeJson`. */
  toJSON(): never {
    throw new TypeError("JSON.stringify can't write a JsonText as it is");
  }
}

/** As it stands in a message or a body. */
export const toJsonText = (json: ExactJson): JsonText => new JsonText(textOfJson(json));
