/** Requests are strict: an unknown field is refused. What a mesh of another version sent is read tolerantly: an unknown field is skipped. */
import { z } from "zod";
import { innerSchemas, unknownFieldsOf, type Schema } from "./inner-schemas.ts";

/** The paths of the objects in a schema that do not refuse unknown fields; "" stands for the schema itself. */
export function tolerantObjects(schema: Schema, path: readonly string[] = []): readonly string[] {
  const own = unknownFieldsOf(schema);
  return [
    ...(own === null || own === "refused" ? [] : [path.join(".")]),
    ...innerSchemas(schema).flatMap((inner) =>
      tolerantObjects(inner.schema, [...path, ...inner.steps]),
    ),
  ];
}

/**
 * The same schema for what comes from a mesh or a peer of another version: its objects, at any depth, skip unknown fields. The copy has
 * no ID in the description of the API.
 */
export function tolerant<S extends Schema>(schema: S): S {
  const { def } = (schema as unknown as z.core.$ZodTypes)._zod;
  if ("shape" in def) {
    const { catchall: _, ...rest } = def;
    const fields = Object.entries(def.shape).map(([name, field]) => [name, tolerant(field)]);
    return rebuilt(schema, { ...rest, shape: Object.fromEntries(fields) });
  }
  if ("element" in def) return rebuilt(schema, { ...def, element: tolerant(def.element) });
  if (def.type === "tuple")
    return rebuilt(schema, {
      ...def,
      items: def.items.map((item) => tolerant(item)),
      rest: def.rest === null ? null : tolerant(def.rest),
    });
  if ("valueType" in def) return rebuilt(schema, { ...def, valueType: tolerant(def.valueType) });
  if ("options" in def)
    return rebuilt(schema, { ...def, options: def.options.map((option) => tolerant(option)) });
  if ("left" in def)
    return rebuilt(schema, { ...def, left: tolerant(def.left), right: tolerant(def.right) });
  if ("innerType" in def) return rebuilt(schema, { ...def, innerType: tolerant(def.innerType) });
  if (def.type === "pipe") return rebuilt(schema, { ...def, in: tolerant(def.in) });
  return schema;
}

/** A schema of the same class, with its descriptions but without its ID, which only one schema can have. */
function rebuilt<S extends Schema>(schema: S, def: object): S {
  const copy = z.core.clone(schema, def as S["_zod"]["def"]);
  const { id: _, ...meta } = z.globalRegistry.get(schema) ?? {};
  if (Object.keys(meta).length > 0) z.globalRegistry.add(copy, meta);
  return copy;
}
