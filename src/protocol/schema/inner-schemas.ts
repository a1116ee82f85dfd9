/** How the schemas of zod are nested: what the functions of this folder read and rebuild. */
import type { z } from "zod";

export type Schema = z.core.$ZodType;

/** The step to a value inside a value: a field's name, any element of an array, or any entry of a record. */
export const EACH = "[]";

interface Inner {
  readonly schema: Schema;
  /** The steps from the outer value; none if it is the same value. */
  readonly steps: readonly string[];
}

/** The schemas that a schema contains. Free-form values (JSON that only its owner understands) contain none. */
export function innerSchemas(schema: Schema): readonly Inner[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ("shape" in def)
    return Object.entries(def.shape).map(([name, field]) => ({ schema: field, steps: [name] }));
  if ("element" in def) return [{ schema: def.element, steps: [EACH] }];
  if (def.type === "tuple")
    return [...def.items, ...(def.rest === null ? [] : [def.rest])].map((item) => ({
      schema: item,
      steps: [EACH],
    }));
  if ("valueType" in def) return [{ schema: def.valueType, steps: [EACH] }];
  if ("options" in def) return def.options.map((option) => ({ schema: option, steps: [] }));
  if ("left" in def) return [def.left, def.right].map((side) => ({ schema: side, steps: [] }));
  if ("innerType" in def) return [{ schema: def.innerType, steps: [] }];
  if (def.type === "pipe") return [{ schema: def.in, steps: [] }];
  return [];
}

/** What an object does with fields that its schema does not name. */
export function unknownFieldsOf(schema: Schema): "refused" | "skipped" | "kept" | null {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  // What is made later cannot be checked when a route is defined.
  if (def.type === "lazy") return "kept";
  if (def.type !== "object") return null;
  if (def.catchall === undefined) return "skipped";
  return def.catchall._zod.def.type === "never" ? "refused" : "kept";
}
