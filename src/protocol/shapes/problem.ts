/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
import type { z } from "zod";
import type { Typed } from "../../base/shape/shape.ts";
import type * as http from "../http.ts";

export const ProblemView: Typed<z.output<typeof http.ProblemView>> = { is: "object", of: { type: { is: "string" }, title: { is: "string" }, status: { is: "number", int: true }, code: { is: "string" }, detail: { is: "string" }, retry_after: { is: "optional", of: { is: "lenient", of: { is: "number", limits: [[">=", 0], ["<=", 86400]] }, by: 86400 } }, time: { is: "optional", of: { is: "string", patterns: [[/^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z))$/, "Invalid ISO datetime"]] } }, issues: { is: "optional", of: { is: "list", of: { is: "object", of: { path: { is: "string" }, message: { is: "string" } } } } } } };
