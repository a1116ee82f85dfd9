import type { MeshClient } from "../../client/index.ts";
import { createSecret } from "../private-file.ts";
import type { GivenSecrets } from "./source-secrets.ts";

type SourceInput = Parameters<MeshClient["webhooks"]["put"]>[1];
type Source = Awaited<ReturnType<MeshClient["webhooks"]["put"]>>;

export interface SourceToPut {
  readonly name: string;
  readonly input: SourceInput;
  /** The secrets that replace those of the source; null keeps them. */
  readonly secrets: GivenSecrets | null;
  /** The new file for a secret that is made. */
  readonly out: string | undefined;
  /** Called if the source was put, and its new secret could not be written: `Made.undo`. */
  readonly undo: () => Promise<string>;
}

export interface PutSource {
  readonly source: Source;
  /** The secret that was made; null if the user gave it, or it stays. */
  readonly secret: string | null;
  /** The file that the secret was written to; null if it is to be shown. */
  readonly file: string | null;
  /** What JSON output says of a secret that was made. */
  readonly shown: { readonly file: string } | { readonly secret: string } | null;
}

/** Creates or replaces a webhook source. A secret that is made is written to the file of `--out`, or left to be shown once. */
export async function putSource(
  { webhooks }: Pick<MeshClient, "webhooks">,
  { name, input, secrets, out, undo }: SourceToPut,
): Promise<PutSource> {
  const secret = secrets?.generated === true ? (secrets.secrets[0] ?? null) : null;
  const file = secret === null ? null : (out ?? null);
  const source = await createSecret(file ?? undefined, {
    create: () =>
      webhooks.put(name, { ...input, ...(secrets !== null && { secrets: [...secrets.secrets] }) }),
    textOf: () => secret ?? "",
    undo,
  });
  const shown = file !== null ? { file } : secret === null ? null : { secret };
  return { source, secret, file, shown };
}
