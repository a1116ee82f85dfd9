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

/** The source with this name and its secrets, as the coordinator has it now. */
export async function openSource(
  c: AppContext,
  name: string,
): Promise<Result<OpenedSource, MusterError>> {
  if (!Slug.safeParse(name).success) return noSource;
  const source = await c.var.memory.sources.open(c.var.coordinator, name);
  if (!source.ok) return source;
  return source.value === null ? noSource : opened(c, source.value);
}

/** The same as this isolate read it last; `again`: as it is now, if so many reads are allowed (see known-sources.ts). */
export async function findSource(
  c: AppContext,
  name: string,
  again: boolean,
): Promise<Result<OpenedSource, MusterError>> {
  if (!Slug.safeParse(name).success) return noSource;
  const source = await c.var.memory.sources.find(c.var.coordinator, name, again);
  if (!source.ok) return source;
  return source.value === null ? noSource : opened(c, source.value);
}

function opened(c: AppContext, source: WebhookSource): Result<OpenedSource, MusterError> {
  const key = storageKey(c.var.config.signingKey, source.name);
  const secrets = source.sealedSecrets.flatMap(
    (sealed) => openSecret(key, fromBase64(sealed) ?? new Uint8Array()) ?? [],
  );
  if (secrets.length > 0) return ok({ ...source, secrets });
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
