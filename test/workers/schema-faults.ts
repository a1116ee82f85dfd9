/** What is wrong with a value by a schema of the API's description: the keywords that the description uses. */

type JsonSchema = Readonly<Record<string, unknown>>;

/** Each fault with its path; none for a value that the schema allows. */
export function schemaFaults(
  schema: JsonSchema,
  value: unknown,
  root: object,
  path = "",
): readonly string[] {
  const ref = schema["$ref"];
  if (typeof ref === "string") return schemaFaults(resolved(ref, root), value, root, path);
  const options = (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined;
  if (options !== undefined) {
    const faults = options.map((option) => schemaFaults(option, value, root, path));
    return faults.some((each) => each.length === 0) ? [] : faults.flat();
  }
  const fault = [typeFault, choiceFault, textFault, numberFault]
    .map((check) => check(schema, value))
    .find((each) => each !== null);
  if (fault !== undefined) return [`${path}: ${fault}`];
  if (Array.isArray(value)) {
    const items = schema["items"] as JsonSchema | undefined;
    return items === undefined
      ? []
      : value.flatMap((each, at) => schemaFaults(items, each, root, `${path}[${at}]`));
  }
  return typeof value === "object" && value !== null
    ? memberFaults(schema, value as Record<string, unknown>, root, path)
    : [];
}

const resolved = (ref: string, root: object): JsonSchema =>
  ref
    .slice(2)
    .split("/")
    .reduce<unknown>((at, name) => (at as JsonSchema)[name], root) as JsonSchema;

function memberFaults(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  root: object,
  path: string,
): readonly string[] {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema["required"] ?? []) as readonly string[];
  const more = schema["additionalProperties"];
  return [
    ...required
      .filter((name) => !Object.hasOwn(value, name))
      .map((name) => `${path}.${name}: is missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property !== undefined) return schemaFaults(property, member, root, `${path}.${name}`);
      if (more === false) return [`${path}.${name}: is unknown`];
      return typeof more === "object" && more !== null
        ? schemaFaults(more as JsonSchema, member, root, `${path}.${name}`)
        : [];
    }),
  ];
}

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
};

function typeFault({ type }: JsonSchema, value: unknown): string | null {
  if (type === undefined) return null;
  const types = (Array.isArray(type) ? type : [type]) as readonly string[];
  const found = typeOf(value);
  const fits =
    types.includes(found) ||
    (types.includes("integer") && Number.isInteger(value)) ||
    (types.includes("number") && found === "number");
  return fits ? null : `is ${found}, not ${types.join(" or ")}`;
}

function choiceFault(
  { enum: choices, const: constant }: JsonSchema,
  value: unknown,
): string | null {
  if (value === null) return null;
  if (constant !== undefined && value !== constant) return `is not ${JSON.stringify(constant)}`;
  return Array.isArray(choices) && !choices.includes(value) ? `is none of ${choices.join()}` : null;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function textFault(schema: JsonSchema, value: unknown): string | null {
  if (typeof value !== "string") return null;
  const { pattern, format, minLength = 0, maxLength = Infinity } = schema;
  if (typeof pattern === "string" && !new RegExp(pattern).test(value)) return `is not ${pattern}`;
  if (format === "date-time" && !DATE_TIME.test(value)) return "is no date-time";
  if (format === "uuid" && !UUID.test(value)) return "is no uuid";
  return value.length < Number(minLength) || value.length > Number(maxLength)
    ? "is too short or too long"
    : null;
}

function numberFault(schema: JsonSchema, value: unknown): string | null {
  if (typeof value !== "number") return null;
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema;
  const fits =
    value >= Number(minimum) && value <= Number(maximum) && value > Number(exclusiveMinimum);
  return fits ? null : "is too small or too large";
}
