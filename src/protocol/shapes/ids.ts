/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
import type { Typed } from "../../base/shape/shape.ts";

export const IdempotencyKey: Typed<string> = { is: "string", trim: true, patterns: [[/^[\x20-\x7e]{1,255}$/, "an idempotency key is 1 to 255 printable ASCII characters, spaces included"]] };
