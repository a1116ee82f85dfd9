import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** A longer line is handed over in pieces. */
const LINE_CHARS_MAX = 16_384;

/** Calls `handle` for each line that another program writes, without colors and empty lines. */
export function onLines(stream: Readable | null, handle: (line: string) => void): void {
  let rest = "";
  const handOver = (line: string): void => {
    const text = stripVTControlCharacters(line).trimEnd();
    if (text !== "") handle(text);
  };
  stream?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) handOver(line);
    if (rest.length < LINE_CHARS_MAX) return;
    handOver(rest);
    rest = "";
  });
  stream?.on("end", () => {
    handOver(rest);
    rest = "";
  });
}
