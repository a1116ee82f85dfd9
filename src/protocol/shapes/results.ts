/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
import type { z } from "zod";
import type { Typed } from "../../base/shape/shape.ts";
import type * as result from "../result-content.ts";

export const PeerId: Typed<string> = { is: "string", patterns: [[/^[0-9a-f]{32}$/, "a peer ID is 32 lower-case hex characters"]] };
export const ResultContent: Typed<z.output<typeof result.ResultContent>> = { is: "object", of: { bytes: { is: "number", int: true, limits: [[">=", 1], ["<=", 26214400]] }, sha256: { is: "string", patterns: [[/^[A-Za-z0-9+/]{43}=$/, "the base64 of 32 bytes"]] } } };
