import { nameDistance } from "../../base/near-name.ts";
import { EACH, innerSchemas, type Schema } from "./inner-schemas.ts";

/** The paths of all fields in a schema. */
function fieldsIn(schema: Schema, path: readonly string[] = []): readonly (readonly string[])[] {
  return innerSchemas(schema).flatMap((inner) => {
    const at = [...path, ...inner.steps];
    const isField = inner.steps.length > 0 && inner.steps[0] !== EACH;
    return [...(isField ? [at] : []), ...fieldsIn(inner.schema, at)];
  });
}

/** Schemas are made once, when the modules load. */
const known = new WeakMap<Schema, readonly (readonly string[])[]>();

function fieldsOf(schema: Schema): readonly (readonly string[])[] {
  const fields = known.get(schema) ?? fieldsIn(schema);
  known.set(schema, fields);
  return fields;
}

/** A field at another level is meant only if its name is the same up to case and punctuation: names repeat between levels by chance. */
const DISTANCE_ELSEWHERE_MAX = 0;

/**
 * The field of the schema that an unknown field at this path probably means: one of the same object whose name is near, or one with
 * the same name at another level. Null if there is none.
 */
export function suggestedField(schema: Schema, path: readonly PropertyKey[]): string | null {
  const steps = path.map((step) => (typeof step === "number" ? EACH : String(step)));
  const parent = steps.slice(0, -1);
  const name = steps.at(-1) ?? "";
  let best: { readonly field: readonly string[]; readonly cost: number } | null = null;
  for (const field of fieldsOf(schema)) {
    const distance = nameDistance(name, field.at(-1) ?? "");
    if (distance === null) continue;
    const isSibling = field.length === steps.length && sharedSteps(parent, field) === parent.length;
    if (!isSibling && distance > DISTANCE_ELSEWHERE_MAX) continue;
    const cost = isSibling ? 2 * distance : 1;
    if (best === null || cost < best.cost) best = { field, cost };
  }
  return best === null ? null : pathOf(best.field, path);
}

const sharedSteps = (a: readonly string[], b: readonly string[]): number => {
  const differing = a.findIndex((step, i) => step !== b[i]);
  return differing === -1 ? a.length : differing;
};

/** The path of a field, with the indexes of the unknown field's path as far as both are the same. */
function pathOf(field: readonly string[], path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === "number" ? EACH : String(step)));
  const shared = sharedSteps(steps.slice(0, -1), field);
  return field
    .map((step, i) => (i < shared ? String(path[i]) : step))
    .join(".")
    .replaceAll(`.${EACH}`, EACH);
}
