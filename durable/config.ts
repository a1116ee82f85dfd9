import { z } from "zod";
import type { Bytes } from "../src/base/bytes.ts";
import { placeOf, type Place } from "../src/base/place.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { keyPairFrom, type KeyPair } from "../src/crypto/identity.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { AuthMode } from "../src/protocol/http.ts";
import { keyBytes, Name } from "../src/protocol/ids.ts";
import type { Env } from "./env.ts";

/** The deployment, checked: its three keys (DESIGN §8) and what the operator chose. */
export interface MeshConfig {
  readonly name: string;
  readonly identity: KeyPair;
  readonly discovery: KeyPair;
  /** Ed25519 private key. */
  readonly signingKey: Bytes;
  readonly adminToken: string;
  readonly authMode: AuthMode;
  readonly discoveryPublic: boolean;
  readonly place: Place | null;
}

/** Shorter ones could be guessed. */
const ADMIN_TOKEN_CHARS_MIN = 16;

const Key = z.string({ error: "is missing" }).transform((text, context) => {
  const bytes = keyBytes(text.trim());
  if (bytes !== null) return bytes;
  context.addIssue("is not 32 bytes in hex or base64");
  return z.NEVER;
});

const Configured = z.object({
  MESH_NAME: Name.default("muster"),
  AUTH_MODE: AuthMode.default("open"),
  DISCOVERY_PUBLIC: z.enum(["true", "false"]).default("false"),
  MESH_LATITUDE: z.string().default(""),
  MESH_LONGITUDE: z.string().default(""),
  ADMIN_TOKEN: z
    .string({ error: "is missing" })
    .min(ADMIN_TOKEN_CHARS_MIN, `is shorter than ${ADMIN_TOKEN_CHARS_MIN} characters`),
  MESH_IDENTITY_KEY: Key,
  MESH_DISCOVERY_KEY: Key,
  MESH_SIGNING_KEY: Key,
});

/** Reads the configuration. What is wrong is named by its variable, never by its value. */
export function readConfig(env: Env): Result<MeshConfig, MusterError> {
  const parsed = Configured.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    return err({
      code: "misconfigured",
      detail: `${faults.join("; ")}. See "Deploy" in the README`,
    });
  }
  const { data } = parsed;
  return ok({
    name: data.MESH_NAME,
    identity: keyPairFrom(data.MESH_IDENTITY_KEY),
    discovery: keyPairFrom(data.MESH_DISCOVERY_KEY),
    signingKey: data.MESH_SIGNING_KEY,
    adminToken: data.ADMIN_TOKEN,
    authMode: data.AUTH_MODE,
    discoveryPublic: data.DISCOVERY_PUBLIC === "true",
    place: placeOf(data.MESH_LATITUDE, data.MESH_LONGITUDE),
  });
}

/** For the objects, which the gateway reaches only once it has read the configuration itself. */
export function requireConfig(env: Env): MeshConfig {
  const config = readConfig(env);
  if (!config.ok) throw new Error(config.error.detail);
  return config.value;
}
