/** Writes one line to stdout. */
export const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

/** Writes one line to stderr: for text that is not the output of the command. */
export const note = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** A number and its noun: `1 task`, `2 tasks`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Text as one printable line: remote text must not move the cursor, color the screen or break a table. */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- it removes control characters
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");

/** The text, cut to `max` characters; an ellipsis marks the cut. */
export const truncate = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1)}…`;

/** Rows as aligned columns: text to the left, numbers to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell))));
  const widths = headings.map((_heading, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[], index: number): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const right = index > 0 && typeof rows[index - 1]?.[column] === "number";
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return cells.map(line).join("\n");
}

const CODES = { red: 31, green: 32, dim: 2, bold: 1 } as const;

/** Colors text on a terminal; returns it unchanged elsewhere, and where `NO_COLOR` is set. */
export const styled = (
  style: keyof typeof CODES,
  text: string,
  out: NodeJS.WriteStream = process.stdout,
): string =>
  out.isTTY && (process.env["NO_COLOR"] ?? "") === ""
    ? `\u001b[${CODES[style]}m${text}\u001b[0m`
    : text;
