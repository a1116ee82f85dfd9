import { z } from "zod";
import { parseJson, type Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "./errors.ts";
import { Uuid } from "./ids.ts";

/** A JSON value, null when absent. The size and depth are already limited by the message or body that contains it. */
export const JsonValue = z
  .unknown()
  .optional()
  .transform((value) => (value ?? null) as Json);

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

/** Parses one message; `bad_message` when it is not JSON or not an envelope. */
export function readEnvelope(text: string): Result<Envelope, SessionFault> {
  const json = parseJson(text);
  if (json === undefined) return err({ code: "bad_message", detail: "the message is not JSON" });
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) return err({ code: "bad_message", detail: firstIssue(envelope.error) });
  return ok(envelope.data);
}

/** The first issue that zod found, with its path, as one line. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  const place = issue.path.map(String).join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}
