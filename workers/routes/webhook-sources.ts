import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { toBase64 } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { WebhookSourceBody as Body } from "../../src/protocol/http.ts";
import {
  WebhookSourceBody,
  WebhookSourceList,
  WebhookSourceView,
} from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import {
  checkFilters,
  checkMapping,
  checkSecret,
  sealSecret,
  storageKey,
} from "../../src/webhooks/index.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { openSource } from "../webhook-source-secrets.ts";
import { takesJson } from "../middleware.ts";
import { respond } from "../problem.ts";
import {
  bodyOf,
  conflict,
  failures,
  failuresOfBody,
  failuresOfOne,
  jsonOf,
  security,
} from "../responses.ts";

const tags = ["webhooks"];
const params = z.object({ name: Slug });

const put = createRoute({
  method: "put",
  path: "/v1/webhook-sources/{name}",
  summary:
    "Register a source of webhooks, or change it: how it signs, and what task its events become",
  tags,
  security,
  middleware: takesJson,
  request: { params, body: bodyOf(WebhookSourceBody) },
  responses: {
    200: jsonOf(WebhookSourceView, "The source, without its secret"),
    ...failuresOfBody,
    ...conflict,
  },
});
const get = createRoute({
  method: "get",
  path: "/v1/webhook-sources/{name}",
  summary: "Show a source, without its secret",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(WebhookSourceView, "The source"), ...failuresOfOne },
});
const list = createRoute({
  method: "get",
  path: "/v1/webhook-sources",
  summary: "List the sources, without their secrets",
  tags,
  security,
  responses: { 200: jsonOf(WebhookSourceList, "The sources, by name"), ...failures },
});
const remove = createRoute({
  method: "delete",
  path: "/v1/webhook-sources/{name}",
  summary: "Remove a source; its deliveries are refused from then on",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It is gone" }, ...failuresOfOne },
});

export function webhookSourceRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(put, async (c) =>
    respond(c, await register(c, c.req.valid("param").name, c.req.valid("json")), (source) =>
      c.json(source, 200),
    ),
  );
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_webhook_sources", {}), (sources) =>
      c.json(sources, 200),
    ),
  );
  app.openapi(get, async (c) =>
    respond(
      c,
      await c.get("coordinator").call("get_webhook_source", c.req.valid("param")),
      (source) => c.json(source, 200),
    ),
  );
  app.openapi(remove, async (c) =>
    respond(c, await c.get("coordinator").call("remove_webhook_source", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
}

/** Stores a source whose secrets can serve and whose mapping can work; the secrets leave here sealed. */
async function register(c: AppContext, name: string, body: Body) {
  const { coordinator, config } = c.var;
  const { scheme, signature = null, task: mapping } = body;
  const secrets = await secretsOf(c, name, body);
  if (!secrets.ok) return secrets;
  for (const [at, secret] of secrets.value.entries()) {
    const place = body.secrets === undefined ? "secret" : `secrets.${at}`;
    const usable = checkSecret({ scheme, signature }, secret, place);
    if (!usable.ok) return usable;
  }
  const mappable = checkMapping(mapping);
  if (!mappable.ok) return mappable;
  const judging = checkFilters(body.filters);
  if (!judging.ok) return judging;
  const key = storageKey(config.signingKey, name);
  const sealedSecrets = secrets.value.map((secret) =>
    toBase64(sealSecret(key, secret, platformRandom)),
  );
  return coordinator.call("put_webhook_source", {
    name,
    scheme,
    signature,
    sealedSecrets,
    mapping,
    filters: body.filters,
  });
}

/** The secrets that are given, or those that the source has. */
async function secretsOf(
  c: AppContext,
  name: string,
  { secret, secrets }: Body,
): Promise<Result<readonly string[], MusterError>> {
  if (secrets !== undefined) return ok(secrets);
  if (secret !== undefined) return ok([secret]);
  const before = await openSource(c, name);
  if (before.ok) return ok(before.value.secrets);
  if (before.error.code !== "not_found") return before;
  const message = "a new source needs a secret";
  const issues = [{ path: "secret", message }];
  return err({ code: "invalid_request", detail: message, issues });
}
