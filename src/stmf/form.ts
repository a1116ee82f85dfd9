import { z } from "zod";
import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { firstIssue } from "../protocol/envelope.ts";
import type { StmfFault } from "./errors.ts";

/**
 * One field of a form, as Borg's `FormField` serializes it. Names may repeat (multi-select). For files, `type` is `file`
 * and `value` is base64. Borg omits empty `type`, `filename` and `mime`, so absent and empty mean the same.
 */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  readonly filename?: string;
  readonly mime?: string;
}

/** The content of a container: the plaintext is this object as JSON. An absent and an empty `meta` mean the same. */
export interface FormData {
  readonly fields: readonly Field[];
  readonly meta?: Readonly<Record<string, string>>;
}

/** Far above any legitimate form; these limits make hostile input fail early. */
export const FIELDS_MAX = 10_000;
export const META_MAX = 1_000;
/** Values in the JSON of a form. A form at all the other limits has 61,000. */
const VALUES_MAX = 100_000;
/** Characters of names, types, file names and keys of `meta`. Values are limited only by the container. */
export const LABEL_CHARS_MAX = 4_096;

/**
 * An unpaired surrogate is not a character: it becomes U+FFFD, as in browsers' forms and in Go. PHP would refuse the whole
 * form.
 */
const wellFormed = (text: string): string => text.toWellFormed();
const Text = z.string().transform(wellFormed);
const Label = z.string().max(LABEL_CHARS_MAX).transform(wellFormed);
/** Go reads null as empty, and omits empty values. */
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

/** The length is checked first, so that a long list is refused before its members are parsed. Go writes a nil slice as null. */
const FieldsSchema = z
  .array(z.unknown())
  .max(FIELDS_MAX)
  .nullable()
  .transform((fields) => fields ?? [])
  .pipe(z.array(FieldSchema));

/** `__proto__` is refused: it can't be a regular key of a plain object, and dropping it silently would lose data. */
const isMetaObject = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !Object.hasOwn(value, "__proto__") &&
  Object.keys(value).length <= META_MAX;

const MetaSchema = z
  .custom<object>(isMetaObject, `meta must be an object with at most ${META_MAX} strings`)
  .pipe(z.record(Label, Text));

const FormSchema = z
  .object({ fields: FieldsSchema, meta: MetaSchema.nullish() })
  .transform(({ fields, meta }): FormData => ({
    fields,
    ...(meta && Object.keys(meta).length > 0 && { meta }),
  }));

/** The plaintext of a form, with keys in Borg's order; `form_invalid` when it is not a form or exceeds a limit. */
export function writeForm(form: FormData): Result<Bytes, StmfFault> {
  const checked = FormSchema.safeParse(form);
  return checked.success
    ? ok(utf8(JSON.stringify(checked.data)))
    : err({ code: "form_invalid", detail: firstIssue(checked.error) });
}

/** Parses a plaintext; `content_invalid` when it is not UTF-8, not JSON, exceeds a limit, or is not a form. */
export function readForm(plaintext: Uint8Array): Result<FormData, StmfFault> {
  const text = fromUtf8(plaintext);
  const json = text === null ? undefined : parseJson(text, JSON_DEPTH_MAX, VALUES_MAX);
  if (json === undefined) {
    return err({
      code: "content_invalid",
      detail: "not JSON, or JSON with too many levels or values for a form",
    });
  }
  const form = FormSchema.safeParse(json);
  return form.success
    ? ok(form.data)
    : err({ code: "content_invalid", detail: firstIssue(form.error) });
}
