import { toBase64 } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { WebhookSourceBody as Body } from "../../src/protocol/http.ts";
import {
  KeepTasksQuery,
  WebhookSourceBody,
  WebhookSourceList,
  WebhookSourceView,
} from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import {
  checkFilters,
  checkIdentity,
  checkMapping,
  checkSecret,
  sealSecret,
  storageKey,
} from "../../src/webhooks/index.ts";
import type { AppContext } from "../context.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { openSource } from "../webhook-source-secrets.ts";

const { define } = routesTagged("webhooks", { name: Slug });

const put = define("administer", "put", "/v1/webhook-sources/{name}", {
  operationId: "putWebhookSource",
  summary:
    "Create or replace a webhook source: how it signs deliveries, and which task an event becomes",
  request: {
    body: bodyOf(WebhookSourceBody, {
      scheme: "github",
      secret: "the secret that GitHub signs with",
      task: { kind: "build", payload: { repo: "$.repository.full_name" } },
    }),
  },
  responses: { 200: jsonOf(WebhookSourceView, "The source, without its secret") },
  failures: ["conflict", "too_many_sources", "unconfirmed", "storage_full"],
});
const get = define("read", "get", "/v1/webhook-sources/{name}", {
  operationId: "getWebhookSource",
  summary: "Show a webhook source, without its secret",
  responses: { 200: jsonOf(WebhookSourceView, "The source") },
});
const list = define("read", "get", "/v1/webhook-sources", {
  operationId: "listWebhookSources",
  summary: "List the webhook sources, without their secrets",
  responses: { 200: jsonOf(WebhookSourceList, "The sources, by name") },
});
const remove = define("administer", "delete", "/v1/webhook-sources/{name}", {
  operationId: "removeWebhookSource",
  summary:
    "Remove a webhook source: its later deliveries are refused, and the tasks that it created are cancelled",
  request: { query: KeepTasksQuery },
  responses: noContent("The source is removed"),
  failures: ["unconfirmed"],
});

export function webhookSourceRoutes(router: Router): void {
  router.route(put, async (c) => {
    const source = await putSource(c, c.req.valid("param").name, c.req.valid("json"));
    return respond(c, source, (shown) => c.json(shown, 200));
  });
  router.route(list, (c) => forward(c, "list_webhook_sources", {}));
  router.route(get, (c) => forward(c, "get_webhook_source", c.req.valid("param")));
  router.route(remove, async (c) => {
    const removed = await forwardEmpty(c, "remove_webhook_source", {
      ...c.req.valid("param"),
      keepTasks: c.req.valid("query").keep_tasks === "true",
    });
    c.var.memory.sources.forget();
    return removed;
  });
}

/** Checks a source's secrets, mapping and filters, seals the secrets, and stores the source. */
async function putSource(c: AppContext, name: string, body: Body) {
  const { coordinator, config } = c.var;
  const { scheme, signature = null, task: mapping, filters } = body;
  const given = await secretsOf(c, name, body);
  if (!given.ok) return given;
  const { secrets, secretsFrom } = given.value;
  for (const [at, secret] of secrets.entries()) {
    const path = body.secrets === undefined ? "secret" : `secrets.${at}`;
    const usable = checkSecret({ scheme, signature }, secret, path);
    if (!usable.ok) return usable;
  }
  const mappable = checkMapping(mapping);
  if (!mappable.ok) return mappable;
  const filterable = checkFilters(filters);
  if (!filterable.ok) return filterable;
  const identifiable = checkIdentity(body.identity);
  if (!identifiable.ok) return identifiable;
  const key = storageKey(config.signingKey, name);
  const sealedSecrets = secrets.map((secret) => toBase64(sealSecret(key, secret, platformRandom)));
  const source = {
    name,
    scheme,
    signature,
    sealedSecrets,
    mapping,
    filters,
    maxBytes: body.max_bytes,
    maxBodyBytes: body.max_body_bytes,
    identity: body.identity,
    secretsFrom,
  };
  const stored = await coordinator.call("put_webhook_source", source);
  c.var.memory.sources.forget();
  return stored;
}

interface GivenSecrets {
  readonly secrets: readonly string[];
  /** The revision that they were read from; undefined when the request has them. */
  readonly secretsFrom?: number;
}

/** The secrets of the request; if it has none, those that the source has already. */
async function secretsOf(
  c: AppContext,
  name: string,
  { secret, secrets }: Body,
): Promise<Result<GivenSecrets, MusterError>> {
  if (secrets !== undefined) return ok({ secrets });
  if (secret !== undefined) return ok({ secrets: [secret] });
  const before = await openSource(c, name);
  if (before.ok) return ok({ secrets: before.value.secrets, secretsFrom: before.value.revision });
  if (before.error.code !== "not_found") return before;
  const message = "a new source needs a secret: send `secret` or `secrets`";
  return err({ code: "invalid_request", detail: message, issues: [{ path: "secret", message }] });
}
