import type { Sql } from "../../src/registry/sql.ts";

const WIDTH = 130;

/** The statements that make the tables and indexes of a database: each table, in the order of names, with its indexes. */
export const statementsOf = (sql: Sql): readonly string[] =>
  sql
    .exec(
      `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
        ORDER BY tbl_name, type DESC, name`,
    )
    .map((row) =>
      String(row["sql"])
        .replaceAll(/\s+/g, " ")
        .replaceAll(/ (?=[,)])|(?<=\() /g, ""),
    );

/** The module that makes such a database from nothing. */
export const newSchemaModule = (statements: readonly string[]): string =>
  `/**
 * The tables and indexes of a new database: what all migrations make of an empty one, in a quarter of the time. This file is written
 * by \`npx vitest run test/registry/new-schema.test.ts -u\`; durable/STORAGE.md describes every column.
 */
export const NEW_SCHEMA: readonly string[] = [
${statements.map((statement) => `  \`${wrapped(statement)}\`,\n`).join("")}];
`;

/** Breaks a statement after its commas, so that no line is longer than \`WIDTH\`. */
function wrapped(statement: string): string {
  const lines: string[] = [];
  let line = "";
  for (const part of statement.split(/(?<=,) /)) {
    if (line !== "" && line.length + part.length >= WIDTH) {
      lines.push(line);
      line = part;
    } else line += line === "" ? part : ` ${part}`;
  }
  return [...lines, line].join("\n    ");
}
