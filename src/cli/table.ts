import { displayWidth, padEnd, padStart } from "./display-width.ts";
import { escapeText } from "../base/escape-text.ts";

/** Rows as lines with aligned columns: text to the left, numbers to the right. A cell is one line, whatever it contains. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const cells = [headings, ...rows].map((row) => row.map((cell) => escapeText(String(cell))));
  const widths = headings.map((_heading, column) =>
    Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))),
  );
  const line = (row: readonly string[], index: number): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const right = index > 0 && typeof rows[index - 1]?.[column] === "number";
        return right ? padStart(cell, width) : padEnd(cell, width);
      })
      .join("  ")
      .trimEnd();
  return cells.map(line);
}
