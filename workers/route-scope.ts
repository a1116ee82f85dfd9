import type { MiddlewareHandler } from "hono";
import { permits, type Need } from "../src/access/scope.ts";
import { Scope } from "../src/protocol/http.ts";
import { requireScope } from "./authorization.ts";
import type { AppEnv } from "./context.ts";
import type { FailureName } from "./responses.ts";

/** What a route needs its caller to be allowed to do, or how it decides by itself which requests it accepts. */
export type RouteScope = Need | OwnCheck;

/** How a route that needs no API token decides which requests it accepts. */
type OwnCheck =
  /** It accepts every request, because it shows nothing secret and changes nothing. */
  | "public"
  /** The handler or the handshake verifies that the peer holds its key. */
  | "peer_proof"
  /** The handler verifies the webhook source's signature. */
  | "signature"
  /** The handler verifies a ticket for one result or payload, which the peer sends as bearer token. */
  | "ticket"
  /** The handler accepts an epoch's reader token, or an API token that may read work (`readsDiscovery`). */
  | "reader_token";

/** How a request shows what it may do, as the description of the API names it. */
export const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description:
      "The admin token, or an API token (`POST /v1/tokens`). The names in an operation's requirement are the scopes of tokens that it accepts: any one of them",
  },
  readerToken: {
    type: "http",
    scheme: "bearer",
    description:
      "A reader token of discovery, which members get over their sessions. If the operator has opened discovery, no token is needed",
  },
  resultTicket: {
    type: "http",
    scheme: "bearer",
    description:
      "A ticket for one result or payload, which a peer makes from a secret of its session",
  },
  webhookSignature: {
    type: "apiKey",
    in: "header",
    name: "webhook-signature",
    description:
      "The signature of the body, in the header that the source's scheme uses: `webhook-signature` (Standard Webhooks), `X-Hub-Signature-256` (GitHub), `Stripe-Signature`, and so on",
  },
} as const;
type SchemeName = keyof typeof SECURITY_SCHEMES;

interface ScopeRules {
  /** Each entry is an alternative. None: every request is accepted, or a handshake that follows decides. */
  readonly security: readonly Partial<Record<SchemeName, string[]>>[];
  /** The failures of every route of this scope. */
  readonly byDefault: readonly FailureName[];
  readonly check: readonly MiddlewareHandler<AppEnv>[];
}

const READS_INPUT: readonly FailureName[] = ["internal", "invalid", "unavailable"];
const READS_TOKEN: readonly FailureName[] = [
  ...READS_INPUT,
  "unauthorized",
  "forbidden",
  "too_many_failures",
];

/** What follows from a route's scope. */
export function rulesOf(scope: RouteScope): ScopeRules {
  switch (scope) {
    case "public":
    case "peer_proof":
      return { security: [], byDefault: ["internal", "invalid"], check: [] };
    case "signature":
      return { security: [{ webhookSignature: [] }], byDefault: READS_INPUT, check: [] };
    case "ticket":
      return {
        security: [{ resultTicket: [] }],
        byDefault: [...READS_TOKEN, "not_admitted"],
        check: [],
      };
    case "reader_token":
      return {
        security: [...tokensWith("read_work"), { readerToken: [] }],
        byDefault: [...READS_INPUT, "unauthorized", "too_many_reads"],
        check: [],
      };
    case "read":
    case "read_work":
    case "read_metrics":
    case "work":
    case "administer":
      return {
        security: tokensWith(scope),
        byDefault: READS_TOKEN,
        check: [requireScope(scope)],
      };
    default:
      return scope satisfies never;
  }
}

const tokensWith = (need: Need) =>
  Scope.options
    .filter((granted) => permits(granted, need))
    .map((granted) => ({ bearer: [granted] }));
