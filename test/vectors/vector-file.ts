import { readFileSync } from "node:fs";

/** One file of docs/vectors. */
export interface VectorFile {
  /** What the file holds, in sentences. */
  readonly about: readonly string[];
  readonly vectors: unknown;
}

/** What the content of every file has in common. */
const FORM = "Bytes are hex, unless the name of a field ends in _base64 or _text.";

export const contentOf = ({ about, vectors }: VectorFile): string =>
  `${JSON.stringify({ about: [...about, FORM], vectors }, null, 2)}\n`;

/** The vectors of a file of docs/vectors. */
export function vectorsOf<T>(name: string): T {
  const path = new URL(`../../docs/vectors/${name}.json`, import.meta.url).pathname;
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly vectors: T }).vectors;
}

export type Texts = Readonly<Record<string, string>>;
