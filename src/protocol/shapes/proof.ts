/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
import type { z } from "zod";
import type { Typed } from "../../base/shape/shape.ts";
import type * as http from "../http.ts";

export const MeshProofView: Typed<z.output<typeof http.MeshProofView>> = { is: "object", of: { signing_key: { is: "string", patterns: [[/^[0-9a-f]{64}$/, "a public key is 64 lower-case hex characters"]] }, time: { is: "string", patterns: [[/^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z))$/, "Invalid ISO datetime"]] }, proof: { is: "string", patterns: [[/^[0-9a-f]{64}$/, "Invalid string: must match pattern /^[0-9a-f]{64}$/"]] } } };
