import { z } from "zod";
import type { Json } from "../base/json.ts";
import { exactJson, exactJsonOf, JsonText, type ExactJson } from "../base/json-text/json-text.ts";
import { Uuid } from "./ids.ts";

/** A JSON value, null when absent. The size and depth are already limited by the message or body that contains it. */
export const JsonValue = z
  .unknown()
  .optional()
  .transform((value) => (value ?? null) as Json);

/**
 * A JSON value of a caller or a peer, which keeps its text; null when absent. Whoever reads the message or the body puts a `JsonText` in
 * its place (`readJson`); of any other value `JSON.stringify` writes the text.
 */
export const ExactValue = z
  .unknown()
  .optional()
  .transform((value) =>
    value instanceof JsonText ? exactJson(value.text) : exactJsonOf(value ?? null),
  ) as unknown as z.ZodPipe<
  z.ZodOptional<z.ZodType<JsonText | Json, JsonText | Json>>,
  z.ZodTransform<ExactJson>
>;

/**
 * The envelope of every message, in both protocols (go-p2p's `Message`). `ts` is RFC 3339 and may carry nanoseconds
 * and an offset, as Go writes it. `type` accepts any short word, so that an unknown type can be answered by its ID.
 */
export const Envelope = z.object({
  id: Uuid,
  type: z.string().min(1).max(64),
  from: z.string().max(64),
  to: z.string().max(64),
  ts: z.iso.datetime({ offset: true }),
  payload: JsonValue,
  replyTo: z.string().max(64).optional(),
});
export type Envelope = z.infer<typeof Envelope>;

/** The first issue that zod found, with its path, as one line. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  const place = issue.path.map(String).join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}
