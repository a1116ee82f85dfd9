import { fromBase64 } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { Slug } from "../src/protocol/ids.ts";
import type { WebhookSource } from "../src/registry/webhook-sources.ts";
import { openSecret, storageKey } from "../src/webhooks/index.ts";
import type { AppContext } from "./context.ts";

/** A source with its secrets as the sender knows them: they live for one request. */
export interface OpenedSource extends WebhookSource {
  readonly secrets: readonly string[];
}

/** The source of this name, its secrets opened. */
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
    detail: "the source's secret does not open: register the source again",
  });
}

const noSource = err<MusterError>({
  code: "not_found",
  detail: "there is no webhook source of this name",
});
