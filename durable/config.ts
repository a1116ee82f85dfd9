import { alertThresholds, alertWebhookFault } from "./alert-variables.ts";
import type { BudgetName } from "../src/access/address-limiter.ts";
import type { TrustedProxies } from "../src/access/client-address.ts";
import { credentialKey } from "../src/access/credential.ts";
import type { Bytes } from "../src/base/bytes.ts";
import { DAY, HOUR, SECOND, type Millis } from "../src/base/clock.ts";
import type { LogLevel } from "../src/base/log/log-fields.ts";
import { placeOf } from "../src/base/place.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { CoordinatorConfig } from "../src/coordinator/kernel/context.ts";
import type { KeyPair } from "../src/crypto/identity.ts";
import { epochRootKey } from "../src/discovery/epoch-secrets.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { isAllowEmpty } from "../src/protocol/outbound-allow.ts";
import { callbackKey } from "../src/webhooks/index.ts";
import { ConfigVariables, type LocationSource } from "./config-variables.ts";
import type { Env } from "./env.ts";
import {
  areKeysDistinct,
  keyPairOf,
  readIdentities,
  verifyingKeyOf,
  type MeshIdentities,
} from "./mesh-keys.ts";
import type { OutboundProxyAccess } from "./outbound-fetch.ts";
import type { Collector } from "./span-sender.ts";
import { readPolicy } from "./selection-variables.ts";
import type { UpstashAccess } from "./upstash-store.ts";
import { log } from "./worker-log.ts";

/** The validated configuration of a deployment: its three keys and the operator's choices. */
export interface MeshConfig {
  readonly name: string;
  /** Where others reach the mesh, without a slash at the end; null if that is where each request was sent. */
  readonly publicUrl: string | null;
  readonly identities: MeshIdentities;
  readonly discovery: KeyPair;
  /** Ed25519 private key. */
  readonly signingKey: Bytes;
  readonly adminToken: string;
  readonly discoveryPublic: boolean;
  /** The store that replicas of discovery read; null when there are no replicas. */
  readonly replicas: UpstashAccess | null;
  /** Whether peers may connect by go-p2p 1.0. */
  readonly goP2p: boolean;
  /** What an address may do in a minute (see src/access/address-limiter.ts). */
  readonly perMinute: Readonly<Record<BudgetName, number>>;
  readonly trustedProxies: TrustedProxies;
  readonly locations: LocationSource;
  /** What makes requests to URLs that callers gave; null when the Worker makes them itself. */
  readonly outboundProxy: OutboundProxyAccess | null;
  /** The collector that gets spans; null when none does. */
  readonly collector: Collector | null;
  /** Lines of lower levels are not logged. */
  readonly logLevel: LogLevel;
  readonly coordinator: CoordinatorConfig;
}

interface ReadConfig {
  readonly config: Result<MeshConfig, MusterError>;
  /** From this time on it is read again: a rotation of the mesh's key ends. */
  readonly until: Millis;
}

/** What was read from each isolate's bindings, which do not change: validation and key derivation cost more than a request. */
const known = new WeakMap<Env, ReadConfig>();

/** The configuration. An error names the variables that are wrong, never their values. */
export function readConfig(env: Env, now: Millis): Result<MeshConfig, MusterError> {
  const before = known.get(env);
  if (before !== undefined && now < before.until) return before.config;
  const config = parseConfig(env, now);
  const ends = Date.parse(env.MESH_ROTATION_ENDS ?? "");
  if (config.ok) log.level = config.value.logLevel;
  known.set(env, { config, until: ends > now ? ends : Infinity });
  return config;
}

function parseConfig(env: Env, now: Millis): Result<MeshConfig, MusterError> {
  const parsed = ConfigVariables.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
    return misconfigured(faults.join("; "));
  }
  const { data } = parsed;
  if (!areKeysDistinct(data)) {
    return misconfigured(
      "MESH_IDENTITY_KEY, MESH_DISCOVERY_KEY and MESH_SIGNING_KEY must be three different keys, and MESH_IDENTITY_KEY_NEXT a fourth",
    );
  }
  const identities = readIdentities(data, now);
  if (!identities.ok) return misconfigured(identities.error);
  const replicas = readReplicas(data);
  if (!replicas.ok) return misconfigured(replicas.error);
  const outboundProxy = readOutboundProxy(data);
  if (!outboundProxy.ok) return misconfigured(outboundProxy.error);
  if (outboundProxy.value === null && !isAllowEmpty(data.OUTBOUND_ALLOW))
    return misconfigured(
      "OUTBOUND_ALLOW needs an OUTBOUND_PROXY, which connects to the hosts that it lists and to no other private address",
    );
  const webhookFault = alertWebhookFault(data.ALERT_WEBHOOKS, {
    allowLoopback: data.ALLOW_LOOPBACK === "true",
    allow: data.OUTBOUND_ALLOW,
  });
  if (webhookFault !== null) return misconfigured(webhookFault);
  const collector = readCollector(data);
  if (!collector.ok) return misconfigured(collector.error);
  return ok({
    name: data.MESH_NAME,
    publicUrl: data.PUBLIC_URL ?? null,
    identities: identities.value,
    discovery: keyPairOf(data.MESH_DISCOVERY_KEY),
    signingKey: data.MESH_SIGNING_KEY,
    adminToken: data.ADMIN_TOKEN,
    replicas: replicas.value,
    discoveryPublic: data.DISCOVERY_PUBLIC === "true",
    goP2p: data.GO_P2P === "true",
    perMinute: {
      handshakes: data.HANDSHAKES_PER_MINUTE,
      proofs: data.HANDSHAKES_PER_MINUTE,
      authorizations: data.FAILED_AUTHORIZATIONS_PER_MINUTE,
      deliveries: data.FAILED_DELIVERIES_PER_MINUTE,
      discovery: data.DISCOVERY_READS_PER_MINUTE,
      preflights: data.PREFLIGHTS_PER_MINUTE,
    },
    trustedProxies: data.TRUSTED_PROXIES,
    locations: data.LOCATION_SERVICE,
    outboundProxy: outboundProxy.value,
    collector: collector.value,
    logLevel: data.LOG_LEVEL,
    coordinator: coordinatorConfig(data, identities.value, replicas.value !== null),
  });
}

const coordinatorConfig = (
  data: ConfigVariables,
  { current, next }: MeshIdentities,
  replicated: boolean,
): CoordinatorConfig => ({
  authMode: data.AUTH_MODE,
  cells: data.CELLS,
  meshIds: next === null ? [current.id] : [current.id, next.id],
  place: placeOf(data.MESH_LATITUDE, data.MESH_LONGITUDE),
  policy: readPolicy(data),
  weights: data.SCORE_WEIGHTS,
  peersMax: data.PEERS_MAX,
  // Peers that listen speak go-p2p 1.0.
  dialsMax: data.GO_P2P === "true" ? data.DIALS_MAX : 0,
  allowLoopback: data.ALLOW_LOOPBACK === "true",
  outboundAllow: data.OUTBOUND_ALLOW,
  reconnectSpread: data.RECONNECT_SPREAD_SECONDS * SECOND,
  retention: data.PEER_RETENTION_DAYS * DAY,
  storage: {
    limit: data.STORAGE_LIMIT_MB * 1_000_000,
    payloadRetention: data.TASK_PAYLOAD_RETENTION_HOURS * HOUR,
  },
  alerts: alertThresholds(data),
  alertWebhooks: data.ALERT_WEBHOOKS,
  credentialKey: credentialKey(data.MESH_SIGNING_KEY),
  callbackKey: callbackKey(data.MESH_SIGNING_KEY),
  discovery: {
    rootKey: epochRootKey(data.MESH_DISCOVERY_KEY),
    signingKey: data.MESH_SIGNING_KEY,
    verifyingKey: verifyingKeyOf(data.MESH_SIGNING_KEY),
    members: data.DISCOVERY_MEMBERS,
    publicFields: data.DISCOVERY_METADATA,
    replicated,
  },
  tracing:
    data.OTLP_ENDPOINT === undefined
      ? null
      : { sample: data.TRACE_SAMPLE, meshName: data.MESH_NAME, meshId: current.id },
});

function readReplicas(data: ConfigVariables): Result<UpstashAccess | null, string> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = data;
  if (url === undefined && token === undefined) return ok(null);
  if (url !== undefined && token !== undefined) return ok({ url, token });
  return err("UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN must be set together");
}

function readOutboundProxy(data: ConfigVariables): Result<OutboundProxyAccess | null, string> {
  const { OUTBOUND_PROXY: url, OUTBOUND_PROXY_SECRET: secret } = data;
  if (url === undefined && secret === undefined) return ok(null);
  if (url !== undefined && secret !== undefined) return ok({ url, secret });
  return err("OUTBOUND_PROXY and OUTBOUND_PROXY_SECRET must be set together");
}

function readCollector(data: ConfigVariables): Result<Collector | null, string> {
  const { OTLP_ENDPOINT: endpoint, OTLP_HEADERS: headers = {} } = data;
  if (endpoint !== undefined) return ok({ url: `${endpoint}/v1/traces`, headers });
  if (Object.keys(headers).length === 0) return ok(null);
  return err("OTLP_HEADERS needs OTLP_ENDPOINT");
}

const misconfigured = (faults: string) =>
  err<MusterError>({ code: "misconfigured", detail: `${faults}. See docs/configuration.md` });

/** The configuration for a Durable Object, which the gateway calls only after it has validated the configuration itself. */
export function requireConfig(env: Env, now: Millis): MeshConfig {
  const config = readConfig(env, now);
  if (!config.ok) throw new Error(config.error.detail);
  return config.value;
}
