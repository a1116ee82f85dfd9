/** What a program has seen to work. */
export interface Outcome {
  readonly joins: boolean;
  readonly largeResult: boolean;
  readonly submits: boolean;
  readonly binary: boolean;
  readonly refusals: boolean;
  readonly threads: boolean;
  readonly sealedForms: boolean;
}

const COLUMNS: readonly (readonly [title: string, key: keyof Outcome])[] = [
  ["joins, runs tasks", "joins"],
  ["result of 1 MiB", "largeResult"],
  ["handlers in threads", "threads"],
  ["submits tasks", "submits"],
  ["binary data", "binary"],
  ["refuses what JSON can't carry", "refusals"],
  ["sealed forms", "sealedForms"],
];

/** The lines of a table in Markdown, as oxfmt aligns them: one platform each. */
export function platformTable(outcomes: ReadonlyMap<string, Outcome>): readonly string[] {
  const rows = [
    ["platform", ...COLUMNS.map(([title]) => title)],
    ...[...outcomes].map(([title, outcome]) => [
      title,
      ...COLUMNS.map(([, key]) => (outcome[key] ? "yes" : "no")),
    ]),
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths?.[at] ?? 0, fill)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [
    line(head, " "),
    line(
      head.map(() => ""),
      "-",
    ),
    ...body.map((cells) => line(cells, " ")),
  ];
}
