import { z } from "zod";
import { credentialKey } from "../src/access/credential.ts";
import { toHex, type Bytes } from "../src/base/bytes.ts";
import { DAY, type Millis } from "../src/base/clock.ts";
import { placeOf } from "../src/base/place.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { CoordinatorConfig } from "../src/coordinator/kernel/context.ts";
import { keyPairFrom, type KeyPair } from "../src/crypto/identity.ts";
import { ed25519PublicKey } from "../src/crypto/primitives.ts";
import { epochRootKey } from "../src/discovery/epoch.ts";
import {
  DIALED_SESSIONS_DEFAULT,
  HANDSHAKES_PER_MINUTE,
  PEER_RETENTION,
  PEERS_CONNECTED_MAX,
  RECONNECTS_PER_SECOND,
  ROTATION_WINDOW,
} from "../src/protocol/constants.ts";
import { PUBLIC_FIELDS } from "../src/protocol/discovery.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { AuthMode } from "../src/protocol/http.ts";
import { keyBytes, Name } from "../src/protocol/ids.ts";
import { callbackKey } from "../src/webhooks/index.ts";
import type { Env } from "./env.ts";
import { readPolicy, SelectionVariables } from "./selection-variables.ts";
import type { UpstashAccess } from "./upstash-store.ts";

/** The deployment, checked: its three keys (DESIGN §8) and what the operator chose. */
export interface MeshConfig {
  readonly name: string;
  readonly identities: MeshIdentities;
  readonly discovery: KeyPair;
  /** Ed25519 private key. */
  readonly signingKey: Bytes;
  readonly adminToken: string;
  readonly discoveryPublic: boolean;
  /** What replicas of discovery read; null when there are none. */
  readonly replicas: UpstashAccess | null;
  /** Whether peers may come by go-p2p 1.0. */
  readonly goP2p: boolean;
  readonly handshakesPerMinute: number;
  readonly coordinator: CoordinatorConfig;
}

/** The mesh's identity, and while it rotates the next one, which is accepted beside it until the change. */
export interface MeshIdentities {
  readonly current: KeyPair;
  readonly next: KeyPair | null;
}

/** Shorter ones could be guessed. */
const ADMIN_TOKEN_CHARS_MIN = 16;
/** What an Authorization header can carry (RFC 6750 §2.1): another token could never be presented. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/=-]{0,512}$/;

const Key = z.string({ error: "is missing" }).transform((text, context) => {
  const bytes = keyBytes(text.trim());
  if (bytes !== null) return bytes;
  context.addIssue("is not 32 bytes in hex or base64");
  return z.NEVER;
});
const Switch = z.enum(["true", "false"], { error: "is neither true nor false" });
const Count = z.coerce
  .number({ error: "is not a number" })
  .int("is not a whole number")
  .min(1, "is below 1");

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
      (text) => text === "" || Math.abs(Number(text)) <= max,
      `is not a number of degrees up to ${max}`,
    );

const Configured = z.object({
  MESH_NAME: Name.default("muster"),
  AUTH_MODE: AuthMode.default("open"),
  DISCOVERY_PUBLIC: Switch.default("false"),
  DISCOVERY_MEMBERS: z
    .enum(["listed", "all", "none"], { error: "is neither listed, all nor none" })
    .default("listed"),
  DISCOVERY_METADATA: PublicFields.default([]),
  GO_P2P: Switch.default("true"),
  PEERS_MAX: Count.default(PEERS_CONNECTED_MAX),
  HANDSHAKES_PER_MINUTE: Count.default(HANDSHAKES_PER_MINUTE),
  DIALS_MAX: Count.default(DIALED_SESSIONS_DEFAULT),
  ALLOW_LOOPBACK: Switch.default("false"),
  RECONNECTS_PER_SECOND: Count.default(RECONNECTS_PER_SECOND),
  PEER_RETENTION_DAYS: Count.default(PEER_RETENTION / DAY),
  ...SelectionVariables,
  MESH_LATITUDE: Degrees(90),
  MESH_LONGITUDE: Degrees(180),
  ADMIN_TOKEN: z
    .string({ error: "is missing" })
    .min(ADMIN_TOKEN_CHARS_MIN, `is shorter than ${ADMIN_TOKEN_CHARS_MIN} characters`)
    .regex(BEARER_TOKEN, "is no bearer token: use up to 512 of A-Z a-z 0-9 . _ ~ + / = -"),
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/, error: "is not a URL" }).optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1, "is empty").optional(),
  MESH_IDENTITY_KEY: Key,
  MESH_IDENTITY_KEY_NEXT: Key.optional(),
  MESH_ROTATION_ENDS: z.iso.datetime({ offset: true, error: "is not an RFC 3339 time" }).optional(),
  MESH_DISCOVERY_KEY: Key,
  MESH_SIGNING_KEY: Key,
});
type Configured = z.infer<typeof Configured>;

/** Reads the configuration. What is wrong is named by its variable, never by its value. */
export function readConfig(env: Env, now: Millis): Result<MeshConfig, MusterError> {
  const parsed = Configured.safeParse(env);
  if (!parsed.success) {
    return err(
      misconfigured(
        parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; "),
      ),
    );
  }
  const { data } = parsed;
  const { MESH_IDENTITY_KEY_NEXT: next, ...rest } = data;
  const keys = [
    rest.MESH_IDENTITY_KEY,
    rest.MESH_DISCOVERY_KEY,
    rest.MESH_SIGNING_KEY,
    ...(next === undefined ? [] : [next]),
  ].map(toHex);
  if (new Set(keys).size < keys.length) {
    // What one key must never do (DESIGN §8), two names for it must not either.
    return err(
      misconfigured(
        "MESH_IDENTITY_KEY, MESH_DISCOVERY_KEY and MESH_SIGNING_KEY must be three keys, and the next identity another",
      ),
    );
  }
  const identities = identitiesOf(data, now);
  if (!identities.ok) return identities;
  const replicas = replicasOf(data);
  if (!replicas.ok) return replicas;
  const { current, next: upcoming } = identities.value;
  return ok({
    name: data.MESH_NAME,
    identities: identities.value,
    discovery: keyPairOf(data.MESH_DISCOVERY_KEY),
    signingKey: data.MESH_SIGNING_KEY,
    adminToken: data.ADMIN_TOKEN,
    replicas: replicas.value,
    discoveryPublic: data.DISCOVERY_PUBLIC === "true",
    goP2p: data.GO_P2P === "true",
    handshakesPerMinute: data.HANDSHAKES_PER_MINUTE,
    coordinator: {
      authMode: data.AUTH_MODE,
      meshIds: [current, upcoming].filter((each) => each !== null).map(({ id }) => id),
      place: placeOf(data.MESH_LATITUDE, data.MESH_LONGITUDE),
      policy: readPolicy(data),
      weights: data.SCORE_WEIGHTS,
      peersMax: data.PEERS_MAX,
      // Peers that listen speak go-p2p 1.0.
      dialsMax: data.GO_P2P === "true" ? data.DIALS_MAX : 0,
      allowLoopback: data.ALLOW_LOOPBACK === "true",
      reconnectsPerSecond: data.RECONNECTS_PER_SECOND,
      retention: data.PEER_RETENTION_DAYS * DAY,
      credentialKey: credentialKey(data.MESH_SIGNING_KEY),
      callbackKey: callbackKey(data.MESH_SIGNING_KEY),
      discovery: {
        rootKey: epochRootKey(data.MESH_DISCOVERY_KEY),
        signingKey: data.MESH_SIGNING_KEY,
        verifyingKey: verifyingKeyOf(data.MESH_SIGNING_KEY),
        members: data.DISCOVERY_MEMBERS,
        publicFields: data.DISCOVERY_METADATA,
        replicated: replicas.value !== null,
      },
    },
  });
}

/**
 * A rotation is plain configuration: until it ends both keys are accepted and peers are told of the next one; from then
 * on the next one is the mesh's identity, whether or not the operator has moved it to its new place by then.
 */
function identitiesOf(data: Configured, now: Millis): Result<MeshIdentities, MusterError> {
  const current = keyPairOf(data.MESH_IDENTITY_KEY);
  if (data.MESH_IDENTITY_KEY_NEXT === undefined) return ok({ current, next: null });
  const next = keyPairOf(data.MESH_IDENTITY_KEY_NEXT);
  const ends = Date.parse(data.MESH_ROTATION_ENDS ?? "");
  if (Number.isNaN(ends))
    return err(misconfigured("MESH_ROTATION_ENDS is missing beside MESH_IDENTITY_KEY_NEXT"));
  if (ends - now > ROTATION_WINDOW)
    return err(misconfigured("MESH_ROTATION_ENDS is more than 30 days ahead"));
  return ok(now < ends ? { current, next } : { current: next, next: null });
}

function replicasOf(data: Configured): Result<UpstashAccess | null, MusterError> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = data;
  if (url === undefined && token === undefined) return ok(null);
  if (url !== undefined && token !== undefined) return ok({ url, token });
  return err(
    misconfigured("UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN are given together"),
  );
}

const keyPairs = new Map<string, KeyPair>();

/** A key pair, its public half computed once in an isolate's life: every request and every new object asks for it. */
function keyPairOf(privateKey: Bytes): KeyPair {
  const name = toHex(privateKey);
  const pair = keyPairs.get(name) ?? keyPairFrom(privateKey);
  keyPairs.set(name, pair);
  return pair;
}

const verifyingKeys = new Map<string, Bytes>();

/** The public half of a signing key, computed once likewise. */
function verifyingKeyOf(signingKey: Bytes): Bytes {
  const name = toHex(signingKey);
  const key = verifyingKeys.get(name) ?? ed25519PublicKey(signingKey);
  verifyingKeys.set(name, key);
  return key;
}

const misconfigured = (faults: string): MusterError => ({
  code: "misconfigured",
  detail: `${faults}. See "Deploy" in the README`,
});

/** For the objects, which the gateway reaches only once it has read the configuration itself. */
export function requireConfig(env: Env, now: Millis): MeshConfig {
  const config = readConfig(env, now);
  if (!config.ok) throw new Error(config.error.detail);
  return config.value;
}
