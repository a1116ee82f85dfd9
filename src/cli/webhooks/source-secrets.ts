import { toHex } from "../../base/bytes.ts";
import { newWebhookSecret } from "../../client/index.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import { WEBHOOK_SECRETS_MAX } from "../../protocol/constants.ts";
import type { WebhookScheme } from "../../protocol/http.ts";
import type { Details, Values } from "../args.ts";
import { UsageError } from "../failure.ts";
import { readSecret, variableOf } from "../secrets.ts";

export const SECRET_OPTIONS = {
  secret: { type: "string" },
  "secret-file": { type: "string", multiple: true },
  "generate-secret": { type: "boolean" },
  out: { type: "string" },
} as const;

export const SECRET_DETAILS: Details = [
  [
    "--secret-file FILE",
    "the secret that the sender signs with; - reads stdin; up to three files,",
  ],
  ["", "each of which verifies: the old one and the new one while the sender changes"],
  ["--secret TEXT", "the same as an argument, which other users of this machine can see"],
  ["--generate-secret", "make a new secret"],
  ["--out FILE", "write the new secret to this new file, which only its owner can read"],
];

/** Where a sender shows the secret that it makes itself, and does not take from the receiver. */
const SENDERS_SECRET: { readonly [S in WebhookScheme]?: string } = {
  stripe:
    "Stripe makes the secret: add an endpoint with the URL below at Stripe (Developers > Webhooks), and copy its signing secret, whsec_…",
  slack:
    "Slack makes the secret: copy the Signing Secret of your app (api.slack.com/apps > Basic Information)",
};

export interface GivenSecrets {
  readonly secrets: readonly string[];
  /** Made just now: to be shown once. */
  readonly generated: boolean;
}

/** The secrets of a source that is created: given, from the environment, or made if its sender takes one from the receiver. */
export async function secretsOfNew(
  values: Values<typeof SECRET_OPTIONS>,
  scheme: WebhookScheme,
  url: string,
): Promise<GivenSecrets> {
  const given = givenSecrets(values, await readGivenSecrets(values), scheme);
  if (given !== null) return given;
  const set = await readSecret("secret", { value: undefined, file: undefined });
  if (set !== undefined && values.out !== undefined)
    throw new UsageError(
      `--out is for a secret that is made, and ${variableOf("secret")} gives one`,
      "leave --out out, or pass --generate-secret",
    );
  if (set !== undefined) return { secrets: [checkedSecret(set)], generated: false };
  const where = SENDERS_SECRET[scheme];
  if (where === undefined) return generated(scheme);
  throw new UsageError(
    "the sender's secret is missing",
    `pass it with --secret-file FILE (- reads stdin) or ${variableOf("secret")}`,
    [where, `URL  ${url}`],
  );
}

/** The secrets that the options give; null when they give none. `secrets`: those of `readGivenSecrets`. */
export function givenSecrets(
  values: Values<typeof SECRET_OPTIONS>,
  secrets: readonly string[] | null,
  scheme: WebhookScheme,
): GivenSecrets | null {
  if (values["generate-secret"] === true) {
    if (SENDERS_SECRET[scheme] !== undefined)
      throw new UsageError(
        `a sender of scheme ${scheme} makes its secret itself`,
        "pass that secret with --secret-file FILE",
      );
    return generated(scheme);
  }
  return secrets === null ? null : { secrets, generated: false };
}

/** The secrets that files or an argument give; null if none does. Reads stdin, if one comes from there. */
export async function readGivenSecrets(
  values: Values<typeof SECRET_OPTIONS>,
): Promise<readonly string[] | null> {
  const { secret, "secret-file": files = [], "generate-secret": generate = false, out } = values;
  if (generate && (secret !== undefined || files.length > 0))
    throw new UsageError("--generate-secret and a given secret exclude each other", "pass one");
  if (out !== undefined && (secret !== undefined || files.length > 0))
    throw new UsageError(
      "--out is for a secret that is made, and one is given",
      "leave --out out, or let the command make a secret",
    );
  if (files.length > WEBHOOK_SECRETS_MAX)
    throw new UsageError(
      `--secret-file is given ${files.length} times`,
      `a source has at most ${WEBHOOK_SECRETS_MAX} secrets`,
    );
  if (files.length === 0 && secret === undefined) return null;
  const sources = files.length === 0 ? [undefined] : files;
  const secrets: string[] = [];
  for (const file of sources) {
    const text = await readSecret("secret", { value: secret, file });
    secrets.push(checkedSecret(String(text)));
  }
  return secrets;
}

/** Checked here, so that the error needs not show it. */
function checkedSecret(secret: string): string {
  if (secret.length >= SECRET_CHARS_MIN && secret.length <= SECRET_CHARS_MAX) return secret;
  throw new UsageError(
    `the secret has ${secret.length} characters`,
    `a secret has ${SECRET_CHARS_MIN} to ${SECRET_CHARS_MAX}`,
  );
}
const SECRET_CHARS_MIN = 16;
const SECRET_CHARS_MAX = 500;

const generated = (scheme: WebhookScheme): GivenSecrets => ({
  secrets: [scheme === "standard-webhooks" ? newWebhookSecret() : toHex(platformRandom(32))],
  generated: true,
});
