import * as fc from "fast-check";
import type { Field, FormData } from "../../src/stmf/index.ts";

/** Text of every Unicode plane, including lone surrogates, which JSON contains as escapes. */
const text = fc.string({ unit: "binary", maxLength: 40 });
const label = fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), {
  nil: undefined,
});

const anyField: fc.Arbitrary<Field> = fc
  .record({ name: text, value: text, type: label, filename: label, mime: label })
  .map(({ name, value, type, filename, mime }) => ({
    name,
    value,
    ...(type !== undefined && { type }),
    ...(filename !== undefined && { filename }),
    ...(mime !== undefined && { mime }),
  }));

const meta = fc
  .dictionary(
    text.filter((key) => key !== "__proto__"),
    text,
    { minKeys: 1, maxKeys: 5, noNullPrototype: true },
  )
  .map((entries): Record<string, string> => ({ ...entries }));

/** Any form in its normal form: no optional value is empty. */
export const anyForm: fc.Arbitrary<FormData> = fc
  .record({ fields: fc.array(anyField, { maxLength: 6 }), meta: fc.option(meta) })
  .map((form) => (form.meta === null ? { fields: form.fields } : { ...form, meta: form.meta }));
