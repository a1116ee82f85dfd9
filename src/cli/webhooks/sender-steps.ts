import type { WebhookScheme, WebhookSourceView } from "../../protocol/http.ts";
import { quotedCommand } from "../command-name.ts";

/** What the operator does next at the sender of a source, line by line. `secret`: how the text calls the secret. */
export function senderSteps(
  { scheme, signature }: Pick<WebhookSourceView, "scheme" | "signature">,
  url: string,
  secret: string,
): readonly string[] {
  return STEPS[scheme]({ url, secret, header: signature?.header ?? null });
}

interface Told {
  readonly url: string;
  readonly secret: string;
  /** The header that carries the signature, if the source states one. */
  readonly header: string | null;
}

const STEPS: { readonly [S in WebhookScheme]: (told: Told) => readonly string[] } = {
  github: ({ url, secret }) => [
    "At GitHub: Settings > Webhooks > Add webhook, of the repository or the organization",
    `  Payload URL   ${url}`,
    "  Content type  application/json",
    `  Secret        ${secret}`,
    "  Events        the events that shall become tasks, for example just the push event",
    "GitHub then sends a ping: `Recent Deliveries` on that page shows how the mesh answered it.",
  ],
  stripe: ({ url }) => [
    "At Stripe: Developers > Webhooks > Add endpoint",
    `  Endpoint URL  ${url}`,
    "  Events        the events that shall become tasks",
    "Stripe signs with the signing secret of that endpoint, which this source must have.",
  ],
  slack: ({ url }) => [
    "At Slack (api.slack.com/apps): your app > Event Subscriptions > Enable Events",
    `  Request URL   ${url}`,
    "Slack checks the URL at once, and the mesh answers. Then subscribe to events and save.",
  ],
  "standard-webhooks": ({ url, secret }) => [
    "At the sender: add a webhook endpoint",
    `  Endpoint URL    ${url}`,
    `  Signing secret  ${secret}`,
    `If the sender makes the secret itself: ${quotedCommand("webhook update NAME --secret-file FILE")}`,
  ],
  hmac: ({ url, secret, header }) => [
    "At the sender: add a webhook",
    `  URL     ${url}`,
    "  Method  POST, with a JSON body",
    `  Secret  ${secret}`,
    `It must send the HMAC-SHA256 of the body in the header ${header ?? "x-signature"}.`,
  ],
};

/** Why senders elsewhere do not reach the URL; null if they may. */
export function unreachableReason(url: string): string | null {
  const { hostname, protocol } = new URL(url);
  if (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127."))
    return "this URL leads to this machine: a sender elsewhere needs a public address; set PUBLIC_URL if a proxy or a tunnel leads here";
  return protocol === "http:"
    ? "this URL has no TLS: senders may refuse it, and others can read the events"
    : null;
}
