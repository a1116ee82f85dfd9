import { isJsonObject, type Json } from "../base/json.ts";

/** A text in JSON has at most six bytes for each of its characters. */
export const TEXT_CHARS_MAX = 500;

export const cutText = (text: string): string =>
  text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX).toWellFormed()}…`;

/**
 * The payload of a message that is too large for a frame, if its only long members are texts for people, such as a reason or an error:
 * those are cut.
 */
export const cutTexts = (payload: Json): Json =>
  isJsonObject(payload)
    ? Object.fromEntries(
        Object.entries(payload).map(([name, value]) => [
          name,
          typeof value === "string" ? cutText(value) : value,
        ]),
      )
    : payload;
