import { fromBase64 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { Slug } from "../src/protocol/ids.ts";
import type { WebhookSource } from "../src/registry/webhook-sources.ts";
import { openSecret, storageKey } from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";

/** A source with its secrets in plain text, which are held for one request only. */
export interface OpenedSource extends WebhookSource {
  readonly secrets: readonly string[];
}

/** The source with this name and its secrets. */
export async function openSource(
  c: AppContext,
  name: string,
): Promise<Result<OpenedSource, MusterError>> {
  const { coordinator, config } = c.var;
  if (!Slug.safeParse(name).success) return noSource;
  const source = await coordinator.call("open_webhook_source", { name });
  if (!source.ok) return source;
  const key = storageKey(config.signingKey, name);
  const secrets = source.value.sealedSecrets.flatMap(
    (sealed) => openSecret(key, fromBase64(sealed) ?? new Uint8Array()) ?? [],
  );
  if (secrets.length > 0) return ok({ ...source.value, secrets });
  return err({
    code: "misconfigured",
    detail:
      "the webhook source's secret was sealed with another signing key; set the source's secret again",
  });
}

const noSource = err<MusterError>({
  code: "not_found",
  detail: "no webhook source has this name; GET /v1/webhook-sources lists them",
});
