/** Requests that the description of the API allows, generated from it. */
import * as fc from "fast-check";

type JsonSchema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** A place in a value at which the description allows no further fields. */
interface Closed {
  readonly path: Path;
  /** The fields that it has there. */
  readonly fields: readonly string[];
}

export interface Example {
  readonly value: unknown;
  readonly closed: readonly Closed[];
}

const plain = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Example> =>
  value.map((each) => ({ value: each, closed: [] }));

/** The values that a schema of the description allows. */
export function examplesOf(schema: JsonSchema, root: JsonSchema): fc.Arbitrary<Example> {
  const {
    $ref: ref,
    const: constant,
    enum: choices,
    anyOf,
    oneOf,
    type,
  } = schema as {
    $ref?: string;
    const?: unknown;
    enum?: unknown[];
    anyOf?: JsonSchema[];
    oneOf?: JsonSchema[];
    type?: string | string[];
  };
  if (ref !== undefined) return examplesOf(resolve(ref, root), root);
  if (constant !== undefined) return plain(fc.constant(constant));
  if (choices !== undefined) return plain(fc.constantFrom(...choices));
  const options = anyOf ?? oneOf;
  if (options !== undefined) return fc.oneof(...options.map((option) => examplesOf(option, root)));
  if (Array.isArray(type))
    return fc.oneof(...type.map((each) => examplesOf({ ...schema, type: each }, root)));
  switch (type) {
    case "object":
      return objects(schema, root);
    case "array":
      return arrays(schema, root);
    case "string":
      return plain(strings(schema));
    case "integer":
    case "number":
      return plain(numbers(schema, type));
    case "boolean":
      return plain(fc.boolean());
    case "null":
      return plain(fc.constant(null));
    case undefined:
      return plain(fc.jsonValue({ maxDepth: 2 }));
    default:
      throw new Error(`the description has a type that this test does not know: ${type}`);
  }
}

const resolve = (ref: string, root: JsonSchema): JsonSchema =>
  ref
    .slice(2)
    .split("/")
    .reduce<JsonSchema>((at, name) => at[name] as JsonSchema, root);

function objects(schema: JsonSchema, root: JsonSchema): fc.Arbitrary<Example> {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema["required"] ?? []) as readonly string[];
  const fields = Object.keys(properties);
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, examplesOf(property, root)]),
  );
  const isClosed = schema["additionalProperties"] === false;
  return fc.record(members, { requiredKeys: [...required] }).map((made) => ({
    value: Object.fromEntries(Object.entries(made).map(([name, { value }]) => [name, value])),
    closed: [
      ...(isClosed ? [{ path: [], fields }] : []),
      ...Object.entries(made).flatMap(([name, { closed }]) => below(name, closed)),
    ],
  }));
}

const below = (step: string | number, closed: readonly Closed[]): readonly Closed[] =>
  closed.map(({ path, fields }) => ({ path: [step, ...path], fields }));

function arrays(schema: JsonSchema, root: JsonSchema): fc.Arbitrary<Example> {
  const minLength = Number(schema["minItems"] ?? 0);
  const maxLength = Math.min(Number(schema["maxItems"] ?? 3), minLength + 2);
  const items = examplesOf((schema["items"] ?? {}) as JsonSchema, root);
  return fc.array(items, { minLength, maxLength }).map((made) => ({
    value: made.map(({ value }) => value),
    closed: made.flatMap(({ closed }, index) => below(index, closed)),
  }));
}

function strings(schema: JsonSchema): fc.Arbitrary<string> {
  const { pattern, format } = schema as { pattern?: string; format?: string };
  if (format === "date-time") return fc.constantFrom("2030-01-31T08:00:00Z");
  if (format === "uuid") return fc.uuid({ version: 4 });
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: "small" });
  const minLength = Number(schema["minLength"] ?? 0);
  return fc.string({
    minLength,
    maxLength: Math.min(Number(schema["maxLength"] ?? 40), minLength + 20),
  });
}

function numbers(schema: JsonSchema, type: "integer" | "number"): fc.Arbitrary<number> {
  const exclusive = schema["exclusiveMinimum"];
  const min = Number(schema["minimum"] ?? (exclusive === undefined ? 0 : Number(exclusive) + 1));
  const max = Math.min(Number(schema["maximum"] ?? min + 100), Number.MAX_SAFE_INTEGER);
  return type === "integer"
    ? fc.integer({ min: Math.ceil(min), max: Math.floor(Math.max(min, max)) })
    : fc.double({ min, max: Math.max(min, max), noNaN: true });
}

/** The value with one more member in the object at this path. */
export function withMember(value: unknown, path: Path, name: string, member: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined)
    // Not by assignment: `__proto__` is to be a member.
    return Object.fromEntries([...Object.entries(value as object), [name, member]]);
  if (Array.isArray(value))
    return value.map((each, i) => (i === step ? withMember(each, rest, name, member) : each));
  return Object.fromEntries(
    Object.entries(value as object).map(([key, each]) => [
      key,
      key === step ? withMember(each, rest, name, member) : each,
    ]),
  );
}

const camelCase = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Names that no field of an object has: misspelled fields, names that every JavaScript object has, and any others. */
export const unknownNames = (fields: readonly string[]): fc.Arbitrary<string> =>
  fc
    .oneof(
      ...(fields.length === 0
        ? []
        : [
            fc
              .constantFrom(...fields)
              .chain((name) =>
                fc.constantFrom(
                  camelCase(name),
                  `${name}s`,
                  name.toUpperCase(),
                  `_${name}`,
                  name.slice(1),
                ),
              ),
          ]),
      fc.constantFrom("__proto__", "constructor", "toString", "peer_id", "peerId", "x", ""),
      fc.string({ maxLength: 20 }),
    )
    .filter((name) => !fields.includes(name) && !name.includes("."));
