import { FILE, type Setting } from "./settings-table.ts";

/**
 * Secrets are never arguments. Each is a variable of the environment, or the content of the file that `NAME_FILE` names, which is also a flag and a
 * key (`--admin-token-file`, `admin_token_file`).
 */
export const SECRETS = [
  "ADMIN_TOKEN",
  "MESH_IDENTITY_KEY",
  "MESH_DISCOVERY_KEY",
  "MESH_SIGNING_KEY",
  "MESH_IDENTITY_KEY_NEXT",
  "UPSTASH_REDIS_REST_URL",
  "UPSTASH_REDIS_REST_TOKEN",
  "OUTBOUND_PROXY_SECRET",
  "OTLP_HEADERS",
] as const;
export type SecretSetting = (typeof SECRETS)[number];

/** The setting that names the file of a secret. */
export const secretFileSetting = (secret: SecretSetting): Setting => ({
  name: `${secret}_FILE`,
  flag: `${secret.toLowerCase().replaceAll("_", "-")}-file`,
  value: "FILE",
  meaning: `the file with ${secret}`,
  allowed: FILE,
  of: "host",
});
