import { z } from "zod";
import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { firstIssue } from "../protocol/envelope.ts";
import type { StmfFault } from "./errors.ts";

/**
 * One field of a form, as Borg's `FormField` writes it. Names may repeat (multi-select). For files, `type` is `file`
 * and `value` is base64. Borg leaves empty `type`, `filename` and `mime` out, so absent and empty are the same.
 */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  readonly filename?: string;
  readonly mime?: string;
}

/** What a container holds: the plaintext is this, as JSON. An absent and an empty `meta` are the same. */
export interface FormData {
  readonly fields: readonly Field[];
  readonly meta?: Readonly<Record<string, string>>;
}

/** Far above any honest form; what counts is that hostile input ends early. */
export const FIELDS_MAX = 10_000;
export const META_MAX = 1_000;
/** Values in the JSON of a form: one that fills the other bounds has 61,000. */
const VALUES_MAX = 100_000;
/** Characters of names, types, file names and keys of `meta`. Values are bounded by the container alone. */
export const LABEL_CHARS_MAX = 4_096;

/**
 * Half a surrogate pair is no character: it becomes U+FFFD, as in the forms of browsers and as Go reads it. PHP would
 * refuse the whole form.
 */
const wellFormed = (text: string): string => text.toWellFormed();
const Text = z.string().transform(wellFormed);
const Label = z.string().max(LABEL_CHARS_MAX).transform(wellFormed);
/** Go reads null as empty, and writes neither. */
const Optional = Label.nullish();

const FieldSchema = z
  .object({ name: Label, value: Text, type: Optional, filename: Optional, mime: Optional })
  .transform(({ name, value, type, filename, mime }): Field => ({
    name,
    value,
    ...(type && { type }),
    ...(filename && { filename }),
    ...(mime && { mime }),
  }));

/** Counted first, so that a long list is refused before its members are looked at. Go writes a nil slice as null. */
const FieldsSchema = z
  .array(z.unknown())
  .max(FIELDS_MAX)
  .nullable()
  .transform((fields) => fields ?? [])
  .pipe(z.array(FieldSchema));

/** `__proto__` is refused: it can't be an ordinary key of a plain object, and dropping it in silence would lie. */
const isMetaObject = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !Object.hasOwn(value, "__proto__") &&
  Object.keys(value).length <= META_MAX;

const MetaSchema = z
  .custom<object>(isMetaObject, `meta is an object of at most ${META_MAX} texts`)
  .pipe(z.record(Label, Text));

const FormSchema = z
  .object({ fields: FieldsSchema, meta: MetaSchema.nullish() })
  .transform(({ fields, meta }): FormData => ({
    fields,
    ...(meta && Object.keys(meta).length > 0 && { meta }),
  }));

/** The plaintext of a form, keys in Borg's order; `form_invalid` when it is no form or exceeds a bound. */
export function writeForm(form: FormData): Result<Bytes, StmfFault> {
  const checked = FormSchema.safeParse(form);
  return checked.success
    ? ok(utf8(JSON.stringify(checked.data)))
    : err({ code: "form_invalid", detail: firstIssue(checked.error) });
}

/** The form of a plaintext; `content_invalid` when it is not UTF-8, not JSON, too deep, too wide, or no form. */
export function readForm(plaintext: Uint8Array): Result<FormData, StmfFault> {
  const text = fromUtf8(plaintext);
  const json = text === null ? undefined : parseJson(text, JSON_DEPTH_MAX, VALUES_MAX);
  if (json === undefined) {
    return err({ code: "content_invalid", detail: "not JSON, or of more values than a form has" });
  }
  const form = FormSchema.safeParse(json);
  return form.success
    ? ok(form.data)
    : err({ code: "content_invalid", detail: firstIssue(form.error) });
}
