/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
import type { z } from "zod";
import type { Typed } from "../../base/shape/shape.ts";
import type * as http from "../http.ts";

export const DeliveryView: Typed<z.output<typeof http.DeliveryView>> = { is: "object", of: { task_id: { is: "or null", of: { is: "string", patterns: [[/^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$/, "a task ID is a UUID"]], says: "a task ID is a UUID" } }, duplicate: { is: "boolean" }, filtered: { is: "optional", of: { is: "or null", of: { is: "string" } }, by: null } } };
