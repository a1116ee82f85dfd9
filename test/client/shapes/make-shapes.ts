import type { z } from "zod";
import type { Result } from "../../../src/base/result.ts";
import { readShape } from "../../../src/base/shape/read-shape.ts";
import type {
  Change,
  NumberShape,
  Shape,
  StringShape,
  Typed,
} from "../../../src/base/shape/shape.ts";

/*
 * Shapes of schemas. What a schema says is in its `_zod.def`, for which the library has no types that would hold here.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-call, typescript/no-unsafe-return */
type Def = Record<string, any>;
const defOf = (schema: unknown): Def => (schema as { _zod: { def: Def } })._zod.def;

/** The shape of a schema. Throws for what shapes can't say, so that a new kind of schema is noticed. */
export function shapeOf(schema: unknown): Shape {
  const def = defOf(schema);
  const inner = (): Shape => shapeOf(def["innerType"]);
  switch (def["type"]) {
    case "unknown":
    case "null":
    case "boolean":
      return { is: def["type"] };
    case "string":
      return stringShape(schema, def);
    case "number":
      return numberShape(schema, def);
    case "literal":
      return { is: "one", of: def["values"] };
    case "enum":
      return { is: "one", of: Object.values(def["entries"]) };
    case "array":
      return { is: "list", of: shapeOf(def["element"]), ...sizes(def) };
    case "record":
      return { is: "record", of: shapeOf(def["valueType"]) };
    case "object":
      return objectShape(def);
    case "union":
      return { is: "any", of: def["options"].map(shapeOf) };
    case "nullable":
      return { is: "or null", of: inner() };
    case "optional":
      // What may be absent already says what it is then.
      return isOptional(def["innerType"]) ? inner() : { is: "optional", of: inner() };
    case "nonoptional":
      return { is: "required", of: inner() };
    case "prefault": {
      const by = valueOf(readShape(inner() as Typed<unknown>, def["defaultValue"]));
      return { is: "optional", of: inner(), by };
    }
    case "default":
      return { is: "optional", of: inner(), by: def["defaultValue"] };
    case "catch":
      return { is: "lenient", of: inner(), by: def["catchValue"]({}) };
    case "pipe":
      return {
        is: "changed",
        of: shapeOf(def["in"]),
        to: changeOf(defOf(def["out"])["transform"]),
      };
    default:
      throw new Error(`a shape can't say ${def["type"]}`);
  }
}

const isOptional = (schema: unknown): boolean =>
  (schema as { _zod: { optin?: string } })._zod.optin !== undefined &&
  defOf(schema)["type"] !== "catch";

const valueOf = (read: Result<unknown, string>): unknown => (read.ok ? read.value : undefined);

function objectShape(def: Def): Shape {
  if (def["catchall"] !== undefined) throw new Error("an object that does not skip other fields");
  const fields = Object.entries(def["shape"]).map(([name, field]) => [name, shapeOf(field)]);
  return { is: "object", of: Object.fromEntries(fields) };
}

/** Transforms are functions: what they do shows in what they make of a text. */
function changeOf(transform: (value: unknown) => unknown): Change {
  const long = "Ä".repeat(10_000);
  const made = transform(long);
  if (made === long) return "json";
  if (made === JSON.stringify(long)) return "exact";
  if (made === long.toLowerCase()) return "lower case";
  if (typeof made === "string" && long.startsWith(made)) return ["cut", made.length];
  return ["value", made];
}

function checksOf(schema: unknown, def: Def): Def[] {
  const { pattern } = (schema as { _zod: { pattern?: RegExp } })._zod;
  const own = def["check"] === undefined ? [] : [{ ...def, pattern: def["pattern"] ?? pattern }];
  return [...own, ...(def["checks"] ?? []).map(defOf)];
}

function sizes(def: Def): { readonly min?: number; readonly max?: number } {
  const found: { min?: number; max?: number } = {};
  for (const check of (def["checks"] ?? []).map(defOf) as Def[])
    if (check["check"] === "min_length") found.min = check["minimum"];
    else if (check["check"] === "max_length") found.max = check["maximum"];
    else throw new Error(`a shape can't say ${check["check"]}`);
  return found;
}

/** What a schema says of a value that does not match. */
const messageOf = (schema: unknown, wrong: unknown): string =>
  (schema as z.ZodType).safeParse(wrong).error?.issues[0]?.message ?? "";

/** Matches no pattern, and is neither too short nor too long. */
const WRONG = "\u0000";

function stringShape(schema: unknown, def: Def): StringShape {
  const shape: Def = { is: "string" };
  for (const check of checksOf(schema, def)) {
    if (check["check"] === "min_length") shape["min"] = check["minimum"];
    else if (check["check"] === "max_length") shape["max"] = check["maximum"];
    else if (check["check"] === "overwrite") shape["trim"] = true;
    else if (check["check"] === "string_format")
      (shape["patterns"] ??= []).push([check["pattern"], messageOf(schema, WRONG)]);
    // The only condition of this kind is the length of the data in base64.
    else if (check["check"] === "custom") shape["bytes"] = [32, messageOf(schema, "")];
    else throw new Error(`a shape can't say ${check["check"]}`);
  }
  const wrongType = messageOf(schema, 7);
  if (!wrongType.startsWith("Invalid input")) shape["says"] = wrongType;
  return shape as StringShape;
}

function numberShape(schema: unknown, def: Def): NumberShape {
  const checks = checksOf(schema, def);
  const limits = checks
    .filter(({ check }) => check === "less_than" || check === "greater_than")
    .map(({ check, value, inclusive }) => [
      `${check === "less_than" ? "<" : ">"}${inclusive === true ? "=" : ""}`,
      value,
    ]);
  const isInt = checks.some(({ format }) => format === "safeint");
  return {
    is: "number",
    ...(isInt && { int: true }),
    ...(limits.length > 0 && { limits }),
  } as NumberShape;
}
