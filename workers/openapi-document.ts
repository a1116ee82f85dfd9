/** What generators of clients need, which the schemas alone do not say: who must send a field that has a default. */

/** A node of the document: JSON, of which only what is changed here is known. */
type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Where a schema is used. */
type Side = "request" | "answer";

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly schema: Node }[];
  readonly requestBody?: Node;
  readonly responses: Node;
}

/**
 * A field with a default is optional in a request: its default is told in words, because generators take a field with `default` for one that
 * is always there, and would send the default of the day on which they ran. In an answer the same field is always there, so it is required.
 * The null that a parameter's text can be converted from is not one that can be sent.
 */
export function finishDocument(document: object): object {
  const finished = structuredClone(document) as Node;
  const schemas = ((finished["components"] as Node)["schemas"] ?? {}) as Readonly<
    Record<string, Node>
  >;
  const sides = new Map<string, Side>();
  const visit = (value: unknown, side: Side): void => {
    if (Array.isArray(value)) return value.forEach((each) => visit(each, side));
    if (!isNode(value)) return;
    const name = componentOf(value);
    if (name !== null) {
      const known = sides.get(name);
      sides.set(name, known ?? side);
      if (known === undefined) visit(schemas[name], side);
      else if (known !== side) requireNoDefaults(name, schemas[name]);
      return;
    }
    if (isNode(value["properties"])) finishObject(value, { ...value["properties"] }, schemas, side);
    for (const [key, each] of Object.entries(value)) if (!isData(key)) visit(each, side);
  };
  for (const { parameters = [], requestBody, responses } of operationsOf(finished)) {
    for (const { in: place, schema } of parameters) if (place === "query") dropNull(schema);
    visit(requestBody, "request");
    visit(responses, "answer");
  }
  // A default of a field that refers to a schema is generated as one of the schema.
  for (const schema of Object.values(schemas)) delete schema["default"];
  return finished;
}

/** The name of the schema that a reference leads to. */
function componentOf({ $ref }: Node): string | null {
  return typeof $ref === "string" ? ($ref.split("/").at(-1) ?? null) : null;
}

/** The value of an example or an enumeration is no schema. */
const isData = (key: string): boolean => ["example", "examples", "enum", "default"].includes(key);

function finishObject(
  schema: Node,
  properties: Node,
  schemas: Readonly<Record<string, Node>>,
  side: Side,
): void {
  const required = new Set((schema["required"] ?? []) as readonly string[]);
  for (const [name, property] of Object.entries(properties)) {
    if (!isNode(property)) continue;
    const { default: value, description, ...rest } = property;
    if (value === undefined && !("default" in (schemas[componentOf(property) ?? ""] ?? {})))
      continue;
    if (side === "answer") required.add(name);
    if (value === undefined) continue;
    const told = `Default: \`${JSON.stringify(value)}\``;
    const text = side === "answer" ? description : [description, told].filter(Boolean).join(". ");
    properties[name] = { ...rest, ...(text !== undefined && { description: text }) };
  }
  schema["properties"] = properties;
  if (required.size > 0) schema["required"] = [...required];
}

/** A schema that requests and answers share can't say who must send a field with a default. */
function requireNoDefaults(name: string, schema: unknown): void {
  if (JSON.stringify(schema).includes("Default: `"))
    throw new TypeError(`requests and answers share ${name}, which has defaults: use two schemas`);
}

function dropNull(schema: Node): void {
  const { type } = schema;
  if (Array.isArray(type)) schema["type"] = type.find((each) => each !== "null");
}

const operationsOf = (document: Node): readonly Operation[] =>
  Object.values(document["paths"] as Readonly<Record<string, Record<string, Operation>>>).flatMap(
    (methods) => Object.values(methods),
  );
