import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import type { Field, FormData } from "./form.ts";

/** The `type` of a file field in Borg's forms. */
const FILE = "file";

/** A text field. `type` is the type of an HTML input: `text`, `password`, `email`, ... */
export const textField = (name: string, value: string, type = "text"): Field => ({
  name,
  value,
  type,
});

/** A field that contains a file, which may be empty. */
export const fileField = (
  name: string,
  content: Uint8Array,
  filename: string,
  mime = "application/octet-stream",
): Field => ({ name, value: toBase64(content), type: FILE, filename, mime });

/** The content of a file field; null when the field is not a file or its value is not base64. */
export const fileContent = (field: Field): Bytes | null =>
  field.type === FILE ? fromBase64(field.value) : null;

/** The value of the first field with this name. */
export const valueOf = ({ fields }: FormData, name: string): string | undefined =>
  fields.find((field) => field.name === name)?.value;

/** The values of all fields with this name (as of a multi-select), in order. */
export const valuesOf = ({ fields }: FormData, name: string): readonly string[] =>
  fields.filter((field) => field.name === name).map(({ value }) => value);

/** Converts a browser's form with its files: `await formOf(new FormData(element))`. */
export async function formOf(web: globalThis.FormData): Promise<FormData> {
  const fields: Field[] = [];
  for (const [name, entry] of web.entries()) {
    fields.push(
      typeof entry === "string"
        ? textField(name, entry)
        : fileField(name, new Uint8Array(await entry.arrayBuffer()), entry.name, entry.type),
    );
  }
  return { fields };
}

/**
 * Converts to the web's `FormData`, with files as `File`. A file field whose value is not base64 stays text: the code that
 * reads the form validates its fields anyway.
 */
export function webFormOf({ fields }: FormData): globalThis.FormData {
  const web = new globalThis.FormData();
  for (const field of fields) {
    const content = fileContent(field);
    if (content === null) web.append(field.name, field.value);
    else
      web.append(field.name, new File([content], field.filename ?? "", { type: field.mime ?? "" }));
  }
  return web;
}
