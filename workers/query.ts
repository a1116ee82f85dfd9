import type { Context, MiddlewareHandler } from "hono";
import { suggestedField } from "../src/protocol/schema/suggested-field.ts";
import { shortName, type Issue } from "../src/protocol/schema/issues.ts";
import type { Schema } from "../src/protocol/schema/inner-schemas.ts";
import { problem } from "./problem.ts";

/** The largest number of wrong parameters that an answer names. */
const ISSUES_MAX = 20;

/**
 * Refuses parameters that the path does not take, that are repeated, or that are empty. `schema` is that of the query; null for a
 * path that takes none. The values are checked against the schema later.
 */
export const checkQuery =
  (schema: Schema | null, names: readonly string[]): MiddlewareHandler =>
  async (c, next) => {
    const issues = queryIssues(c, schema, names);
    if (issues.length === 0) return next();
    return problem(c, {
      code: "invalid_request",
      detail: "the query does not have the form that /openapi.json describes",
      issues,
    });
  };

function queryIssues(
  c: Context,
  schema: Schema | null,
  names: readonly string[],
): readonly Issue[] {
  const start = c.req.url.indexOf("?");
  if (start === -1) return [];
  const parameters = new URLSearchParams(c.req.url.slice(start));
  const issues: Issue[] = [];
  for (const name of new Set(parameters.keys())) {
    if (issues.length === ISSUES_MAX) break;
    const message = fault(name, parameters.getAll(name), schema, names);
    if (message !== null) issues.push({ path: shortName(name), message });
  }
  return issues;
}

function fault(
  name: string,
  values: readonly string[],
  schema: Schema | null,
  names: readonly string[],
): string | null {
  if (!names.includes(name)) return unknownParameter(name, schema);
  if (values.length > 1) return `this parameter occurs ${values.length} times; send it once`;
  if (values[0]?.trim() === "") return "this parameter is empty; send a value, or omit it";
  return null;
}

function unknownParameter(name: string, schema: Schema | null): string {
  if (schema === null) return "this path takes no parameters in its query";
  const meant = suggestedField(schema, [name]);
  const question = meant === null ? "" : `; did you mean \`${meant}\`?`;
  return `this parameter does not exist${question}`;
}
