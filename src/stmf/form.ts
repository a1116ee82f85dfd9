import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { readShape } from "../base/shape/read-shape.ts";
import type { Shape, Typed } from "../base/shape/shape.ts";
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
const WELL_FORMED = ["cut", Number.POSITIVE_INFINITY] as const;
const TEXT: Shape = { is: "changed", of: { is: "string" }, to: WELL_FORMED };
const LABEL: Shape = {
  is: "changed",
  of: { is: "string", max: LABEL_CHARS_MAX },
  to: WELL_FORMED,
};
/** Go reads null as empty, and omits empty values. */
const OPTIONAL: Shape = { is: "optional", of: { is: "or null", of: LABEL } };

type ReadField = Pick<Field, "name" | "value"> & {
  readonly [Name in "type" | "filename" | "mime"]?: string | null;
};

/** Go writes a nil slice as null. */
const FORM: Typed<{
  readonly fields: readonly ReadField[] | null;
  readonly meta?: Readonly<Record<string, string>> | null;
}> = {
  is: "object",
  of: {
    fields: {
      is: "or null",
      of: {
        is: "list",
        of: {
          is: "object",
          of: { name: LABEL, value: TEXT, type: OPTIONAL, filename: OPTIONAL, mime: OPTIONAL },
        },
      },
    },
    meta: { is: "optional", of: { is: "or null", of: { is: "record", of: TEXT } } },
  },
};

/** The form in a value, or what is wrong with it. Its limits come first, so that a long list is refused before its members are read. */
function formOf(value: unknown): Result<FormData, string> {
  const { fields, meta } = Object(value) as { readonly fields?: unknown; readonly meta?: unknown };
  if (Array.isArray(fields) && fields.length > FIELDS_MAX)
    return err(`fields: Too big: expected array to have <=${FIELDS_MAX} items`);
  if (meta !== undefined && meta !== null && !isMetaObject(meta))
    return err(`meta: meta must be an object with at most ${META_MAX} strings`);
  const read = readShape(FORM, value);
  return read.ok ? ok(formRead(read.value.fields ?? [], read.value.meta ?? {})) : read;
}

const formRead = (
  fields: readonly ReadField[],
  meta: Readonly<Record<string, string>>,
): FormData => ({
  fields: fields.map(({ name, value, type, filename, mime }) => ({
    name,
    value,
    ...(type && { type }),
    ...(filename && { filename }),
    ...(mime && { mime }),
  })),
  ...(Object.keys(meta).length > 0 && {
    meta: Object.fromEntries(
      Object.entries(meta).map(([name, value]) => [name.toWellFormed(), value]),
    ),
  }),
});

/** `__proto__` is refused: it can't be a regular key of a plain object, and dropping it silently would lose data. */
const isMetaObject = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !Object.hasOwn(value, "__proto__") &&
  Object.keys(value).length <= META_MAX &&
  Object.keys(value).every((name) => name.length <= LABEL_CHARS_MAX);

/** The plaintext of a form, with keys in Borg's order; `form_invalid` when it is not a form or exceeds a limit. */
export function writeForm(form: FormData): Result<Bytes, StmfFault> {
  const checked = formOf(form);
  return checked.ok
    ? ok(utf8(JSON.stringify(checked.value)))
    : err({ code: "form_invalid", detail: checked.error });
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
  const form = formOf(json);
  return form.ok ? form : err({ code: "content_invalid", detail: form.error });
}
