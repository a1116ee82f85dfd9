import { z } from "zod";
import { TASK_LARGE_RESULT_BYTES_MAX } from "./task-limits.ts";

export { RESULT_FENCE_HEADER, RESULT_SIGNATURE_HEADER } from "./result-headers.ts";

/** The bytes of a result: the caller's JSON, or the STMF container that it is sealed in. */
export const ResultContent = z.object({
  bytes: z.int().min(1).max(TASK_LARGE_RESULT_BYTES_MAX),
  sha256: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "the base64 of 32 bytes")
    .meta({ description: "SHA-256 of the bytes, in base64 as in Content-Digest" }),
});
export type ResultContent = z.infer<typeof ResultContent>;
