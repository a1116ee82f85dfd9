/** What is wrong with a request, as a problem document lists it. */
import type { z } from "zod";
import type { Schema } from "./inner-schemas.ts";
import { suggestedField } from "./suggested-field.ts";

export interface Issue {
  /** The names and indexes that lead to the value, joined by `.`. */
  readonly path: string;
  readonly message: string;
}

/** A request can have thousands of wrong fields; a caller mends some at a time. */
const ISSUES_MAX = 20;
/** Longer names of fields are cut: an answer does not repeat a request. */
const NAME_CHARS_MAX = 80;

/** The issues of a value that does not match its schema, at most 20. Each unknown field is one, with the field that it may mean. */
export const issuesOf = ({ issues }: z.ZodError, schema: Schema): readonly Issue[] =>
  issues
    .flatMap((issue) => wrongs(issue, []))
    .slice(0, ISSUES_MAX)
    .map((wrong) => told(wrong, schema));

/** One wrong value, or one unknown field. */
interface Wrong {
  readonly path: readonly PropertyKey[];
  /** Absent for an unknown field. */
  readonly message?: string;
}

function wrongs(issue: z.core.$ZodIssue, outer: readonly PropertyKey[]): readonly Wrong[] {
  const path = [...outer, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, ISSUES_MAX).map((key) => ({ path: [...path, key] }));
  if (issue.code === "invalid_union") {
    const meant = issue.errors
      .map((errors) => errors.flatMap((error) => wrongs(error, path)))
      .toSorted((a, b) => a.length - b.length)
      .find((branch) => branch.some(({ message }) => message === undefined));
    if (meant !== undefined) return meant;
  }
  return [{ path, message: issue.message }];
}

const told = ({ path, message }: Wrong, schema: Schema): Issue => ({
  path: pathText(path),
  message: message ?? unknownField(suggestedField(schema, path)),
});

/** The message about a field that does not exist, with the field that it may mean. */
export const unknownField = (meant: string | null): string =>
  meant === null
    ? "this field does not exist"
    : `this field does not exist; did you mean \`${meant}\`?`;

export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((step) => shortName(String(step))).join(".");

/** A name from a request, cut to a length that an answer can repeat. */
export const shortName = (name: string): string =>
  name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name;
