import { z } from "zod";
import { readTrustedProxies } from "../src/access/client-address.ts";
import { NO_PAGES, PREFLIGHTS_PER_MINUTE, readPageOrigins } from "../src/access/page-origins.ts";
import { DAY, HOUR, SECOND } from "../src/base/clock.ts";
import { CELLS_MAX } from "../src/cells/topology.ts";
import { LOG_LEVELS } from "../src/base/log/log-fields.ts";
import { LOG_LEVEL_DEFAULT } from "../src/base/log/logger.ts";
import { readSignedDecimal } from "../src/base/number-text.ts";
import type { Result } from "../src/base/result.ts";
import {
  DIALED_SESSIONS_DEFAULT,
  DISCOVERY_READS_PER_MINUTE,
  FAILED_AUTHORIZATIONS_PER_MINUTE,
  FAILED_DELIVERIES_PER_MINUTE,
  HANDSHAKES_PER_MINUTE,
  PAYLOAD_RETENTION,
  PEER_RETENTION,
  PEERS_CONNECTED_MAX,
  RECONNECT_DELAY_MAX,
  RECONNECT_SPREAD,
  STORAGE_LIMIT,
  STORAGE_LIMIT_MIN,
  TASK_RETENTION,
} from "../src/protocol/constants.ts";
import { PUBLIC_FIELDS } from "../src/protocol/discovery.ts";
import { AuthMode } from "../src/protocol/http.ts";
import { keyBytes, Name } from "../src/protocol/ids.ts";
import { NO_OUTBOUND_ALLOW, readOutboundAllow } from "../src/protocol/outbound-allow.ts";
import { readPublicUrl } from "../src/protocol/public-url.ts";
import { AlertVariables } from "./alert-variables.ts";
import { share, wholeNumber } from "./number-variables.ts";
import { readOtlpHeaders } from "./otlp-headers.ts";
import { SelectionVariables } from "./selection-variables.ts";

/** Bytes of a megabyte, as Cloudflare counts storage. */
const MB = 1_000_000;
/** A shorter token could be guessed. */
const ADMIN_TOKEN_CHARS_MIN = 16;
const PROXY_SECRET_CHARS_MIN = 32;
/** The tokens that an Authorization header can carry (RFC 6750 section 2.1). */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/=-]{0,512}$/;

const Key = z.string({ error: "is missing" }).transform((text, context) => {
  const bytes = keyBytes(text.trim());
  if (bytes !== null) return bytes;
  context.addIssue("is not 32 bytes in hex or base64");
  return z.NEVER;
});
const Switch = z.enum(["true", "false"], { error: "is neither true nor false" });
const Count = wholeNumber(1);

const PublicFields = z
  .string()
  .transform((text) => text.split(",").map((field) => field.trim()))
  .transform((fields) => fields.filter((field) => field !== ""))
  .pipe(z.array(z.enum(PUBLIC_FIELDS, { error: `is not a list of ${PUBLIC_FIELDS.join(", ")}` })));

const Degrees = (max: number) =>
  z
    .string()
    .default("")
    .refine(
      (text) => text === "" || Math.abs(readSignedDecimal(text) ?? Infinity) <= max,
      `is not a number of degrees up to ${max}`,
    );

/** What locates the addresses of peers. A service answers `GET URL/ADDRESS`: see workers/location.ts. */
export type LocationSource =
  | { readonly by: "platform" | "nothing" }
  | { readonly by: "service"; readonly url: string };

const LocationService = z.string().transform((text, context): LocationSource => {
  if (text === "platform") return { by: "platform" };
  if (text === "none") return { by: "nothing" };
  if (/^https?:\/\//.test(text) && URL.canParse(text))
    return { by: "service", url: text.replace(/\/+$/, "") };
  context.addIssue("is neither platform, none nor a URL");
  return z.NEVER;
});

/** What a function of the core reads, with its error as the issue. */
const readBy = <Value>(read: (text: string) => Result<Value, string>) =>
  z.string().transform((text, context): Value => {
    const value = read(text);
    if (value.ok) return value.value;
    context.addIssue(value.error);
    return z.NEVER;
  });

const ProxyList = readBy(readTrustedProxies);
const OutboundAllowList = readBy(readOutboundAllow);
const PageOriginList = readBy(readPageOrigins);
const PublicUrl = readBy(readPublicUrl);
/** The base URL of a collector, as OpenTelemetry's `OTEL_EXPORTER_OTLP_ENDPOINT`. */
const OtlpEndpoint = z.string().transform((text, context): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) context.addIssue("is not a URL");
  else if (url.username !== "" || url.password !== "")
    context.addIssue("has a user or password; put what authorizes into OTLP_HEADERS");
  else if (url.search !== "" || url.hash !== "") context.addIssue("has a query or a fragment");
  else return url.href.replace(/\/+$/, "");
  return z.NEVER;
});

const OtlpHeaders = readBy(readOtlpHeaders);

/** The variables and secrets of a deployment, with their defaults. Error texts follow the name of the variable. */
export const ConfigVariables = z.object({
  MESH_NAME: Name.default("muster"),
  PUBLIC_URL: PublicUrl.optional(),
  AUTH_MODE: z
    .enum(AuthMode.options, { error: "is neither allowlist nor open" })
    .default("allowlist"),
  DISCOVERY_PUBLIC: Switch.default("false"),
  DISCOVERY_MEMBERS: z
    .enum(["listed", "all", "none"], { error: "is neither listed, all nor none" })
    .default("listed"),
  DISCOVERY_METADATA: PublicFields.default([]),
  GO_P2P: Switch.default("true"),
  CELLS: wholeNumber(1, CELLS_MAX).default(1),
  PEERS_MAX: Count.default(PEERS_CONNECTED_MAX),
  HANDSHAKES_PER_MINUTE: Count.default(HANDSHAKES_PER_MINUTE),
  FAILED_AUTHORIZATIONS_PER_MINUTE: Count.default(FAILED_AUTHORIZATIONS_PER_MINUTE),
  FAILED_DELIVERIES_PER_MINUTE: Count.default(FAILED_DELIVERIES_PER_MINUTE),
  DISCOVERY_READS_PER_MINUTE: Count.default(DISCOVERY_READS_PER_MINUTE),
  PREFLIGHTS_PER_MINUTE: Count.default(PREFLIGHTS_PER_MINUTE),
  CORS_ORIGINS: PageOriginList.default(NO_PAGES),
  TRUSTED_PROXIES: ProxyList.default([]),
  DIALS_MAX: Count.default(DIALED_SESSIONS_DEFAULT),
  ALLOW_LOOPBACK: Switch.default("false"),
  OUTBOUND_ALLOW: OutboundAllowList.default(NO_OUTBOUND_ALLOW),
  RECONNECT_SPREAD_SECONDS: wholeNumber(1, RECONNECT_DELAY_MAX / SECOND).default(
    RECONNECT_SPREAD / SECOND,
  ),
  STORAGE_LIMIT_MB: wholeNumber(STORAGE_LIMIT_MIN / MB, STORAGE_LIMIT / MB).default(
    STORAGE_LIMIT / MB,
  ),
  TASK_PAYLOAD_RETENTION_HOURS: wholeNumber(1, TASK_RETENTION / HOUR).default(
    PAYLOAD_RETENTION / HOUR,
  ),
  PEER_RETENTION_DAYS: Count.default(PEER_RETENTION / DAY),
  ...SelectionVariables,
  ...AlertVariables,
  LOCATION_SERVICE: LocationService.default({ by: "platform" }),
  MESH_LATITUDE: Degrees(90),
  MESH_LONGITUDE: Degrees(180),
  ADMIN_TOKEN: z
    .string({ error: "is missing" })
    .min(ADMIN_TOKEN_CHARS_MIN, `is shorter than ${ADMIN_TOKEN_CHARS_MIN} characters`)
    .regex(BEARER_TOKEN, "is not a bearer token: use up to 512 of A-Z a-z 0-9 . _ ~ + / = -"),
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/, error: "is not a URL" }).optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1, "is empty").optional(),
  OUTBOUND_PROXY: z.url({ protocol: /^https?$/, error: "is not a URL" }).optional(),
  OUTBOUND_PROXY_SECRET: z
    .string()
    .min(PROXY_SECRET_CHARS_MIN, `is shorter than ${PROXY_SECRET_CHARS_MIN} characters`)
    .regex(BEARER_TOKEN, "has characters that a header cannot contain")
    .optional(),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: "is none of debug, info, warn and error" })
    .default(LOG_LEVEL_DEFAULT),
  OTLP_ENDPOINT: OtlpEndpoint.optional(),
  OTLP_HEADERS: OtlpHeaders.optional(),
  TRACE_SAMPLE: share.default(1),
  MESH_IDENTITY_KEY: Key,
  MESH_IDENTITY_KEY_NEXT: Key.optional(),
  MESH_ROTATION_ENDS: z.iso.datetime({ offset: true, error: "is not an RFC 3339 time" }).optional(),
  MESH_DISCOVERY_KEY: Key,
  MESH_SIGNING_KEY: Key,
});
export type ConfigVariables = z.infer<typeof ConfigVariables>;
