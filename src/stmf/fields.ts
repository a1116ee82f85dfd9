import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import type { Field, FormData } from "./form.ts";

/** What Borg's forms call a field that is a file. */
const FILE = "file";

/** A field of text; `type` is that of HTML's input: `text`, `password`, `email`… */
export const textField = (name: string, value: string, type = "text"): Field => ({
  name,
  value,
  type,
});

/** A field that carries a file, of 0 bytes too. */
export const fileField = (
  name: string,
  content: Uint8Array,
  filename: string,
  mime = "application/octet-stream",
): Field => ({ name, value: toBase64(content), type: FILE, filename, mime });

/** The content of a file; null when the field is no file, or its value not base64. */
export const fileContent = (field: Field): Bytes | null =>
  field.type === FILE ? fromBase64(field.value) : null;

/** The first value of that name. */
export const valueOf = ({ fields }: FormData, name: string): string | undefined =>
  fields.find((field) => field.name === name)?.value;

/** All values of that name, as of a multi-select, in order. */
export const valuesOf = ({ fields }: FormData, name: string): readonly string[] =>
  fields.filter((field) => field.name === name).map(({ value }) => value);

/** The fields of a browser's form, files included: `await formOf(new FormData(element))`. */
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
 * The form as browsers and servers hold one, files as `File`. A file whose value is no base64 stays the text that it is:
 * its sender is the one to blame, and what reads the form judges it anyway.
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
