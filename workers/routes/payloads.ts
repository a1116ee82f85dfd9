import { z } from "@hono/zod-openapi";
import { readPayloadTicket } from "../../src/access/result-secrets.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { textOfJson } from "../../src/base/json-text/json-text.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { payloadKey } from "../../src/crypto/result-tickets.ts";
import { sealBytes } from "../../src/crypto/sealed-stream.ts";
import { PAYLOAD_READS_PER_MINUTE } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { bearerOf } from "../authorization.ts";
import { problem } from "../problem.ts";
import { routesTagged, type Router } from "../route.ts";
import { NO_TICKET, noTicket } from "../tickets.ts";

const SEALED_TYPE = "application/octet-stream";

const { define } = routesTagged("tasks", {
  id: Uuid,
  fence: z.string().regex(/^[1-9][0-9]{0,14}$/),
});

const get = define("ticket", "get", "/v1/task-payloads/{id}/{fence}", {
  operationId: "downloadTaskPayload",
  summary:
    "As the peer of an attempt, read the payload that did not fit its offer, sealed with the secret from the offer",
  responses: {
    200: {
      description: "The payload, sealed for the peer",
      content: { [SEALED_TYPE]: { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  failures: ["not_found", "lease_lost", "too_many_payload_reads"],
});

const TOO_MANY: MusterError = {
  code: "rate_limited",
  detail: `an attempt may read its payload ${PAYLOAD_READS_PER_MINUTE} times a minute; keep what was read`,
  retryAfter: Math.ceil(60 / PAYLOAD_READS_PER_MINUTE),
};

export function payloadRoutes(router: Router): void {
  router.route(get, async (c) => {
    const { id: taskId, fence } = c.req.valid("param");
    const { coordinator, config } = c.var;
    const { payloadReads } = c.var.memory;
    const attempt = { taskId, fence: Number(fence) };
    const ticket = bearerOf(c) ?? "";
    const secret = readPayloadTicket(config.coordinator.credentialKey, ticket, attempt);
    if (secret === null) return problem(c, noTicket(c, NO_TICKET));
    const { peerId } = secret;
    if (!payloadReads.take(ticket, Date.now())) return problem(c, TOO_MANY);
    const read = await coordinator.call("read_payload", { ...attempt, peerId });
    // A mesh that does not answer for now is asked again and again.
    if (!read.ok && read.error.code === "unavailable") payloadReads.giveBack(ticket, Date.now());
    if (!read.ok) return problem(c, read.error);
    const payload = utf8(textOfJson(read.value.payload));
    const sealed = await sealBytes(payload, payloadKey(secret), platformRandom);
    return c.body(sealed, 200, { "Content-Type": SEALED_TYPE });
  });
}
