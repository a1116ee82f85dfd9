/**
 * Every setting of a self-hosted mesh. Flags, variables of the environment, keys of `muster.toml` and help texts are derived from this table;
 * docs/configuration.md has an entry for each.
 */
export interface Setting {
  /** The variable of the environment, and for those of the Worker its variable. */
  readonly name: string;
  /** The flag without `--`. With `_` in place of `-` it is the key in muster.toml. */
  readonly flag: string;
  /** What stands for the value in help texts. */
  readonly value: string;
  readonly meaning: string;
  /** Who reads it: the Worker, which also runs on Cloudflare, or its host on this machine. */
  readonly of: "worker" | "host";
}

const ofWorker = (name: string, value: string, meaning: string): Setting => ({
  name,
  flag: name.toLowerCase().replaceAll("_", "-"),
  value,
  meaning,
  of: "worker",
});

const ofHost = (flag: string, value: string, meaning: string, name?: string): Setting => ({
  name: name ?? `MUSTER_${flag.toUpperCase().replaceAll("-", "_")}`,
  flag,
  value,
  meaning,
  of: "host",
});

const HOST_SETTINGS = [
  ofHost("host", "ADDRESS", "the address to listen on; default: 127.0.0.1, this machine only"),
  ofHost("port", "N", "the port to listen on; default: 8787; 0 selects a free one"),
  ofHost("dir", "FOLDER", "the folder for secrets and state; default: .muster"),
  ofHost("config", "FILE", "the file of settings; default: muster.toml, if there is one"),
  ofHost("secrets", "FILE", "the secrets as NAME=VALUE lines; default: those of the folder"),
  ofHost(
    "tls-cert",
    "FILE",
    "the TLS certificate with its chain (PEM); read again when it changes",
  ),
  ofHost("tls-key", "FILE", "the key of the TLS certificate (PEM)"),
  ofHost("log", "FORM", "the form of log lines: text or json; default: text"),
  ofHost(
    "geoip-database",
    "FILE",
    "a MaxMind database (.mmdb) that locates peers",
    "GEOIP_DATABASE",
  ),
] as const;

const WORKER_SETTINGS = [
  ofWorker("MESH_NAME", "NAME", "the name that peers see"),
  ofWorker("AUTH_MODE", "MODE", "who may join: allowlist or open"),
  ofWorker("GO_P2P", "BOOLEAN", "false refuses go-p2p 1.0"),
  ofWorker("TRUSTED_PROXIES", "LIST", "proxies whose X-Forwarded-For is believed"),
  ofWorker("CORS_ORIGINS", "LIST", "origins of the web pages that may read answers"),
  ofWorker("PEERS_MAX", "N", "peers connected at once"),
  ofWorker("DIALS_MAX", "N", "dialed sessions at once"),
  ofWorker("HANDSHAKES_PER_MINUTE", "N", "handshakes per minute of one address"),
  ofWorker(
    "FAILED_AUTHORIZATIONS_PER_MINUTE",
    "N",
    "requests without a valid token per minute of one address",
  ),
  ofWorker(
    "FAILED_DELIVERIES_PER_MINUTE",
    "N",
    "unverified webhook deliveries per minute of one address",
  ),
  ofWorker("PREFLIGHTS_PER_MINUTE", "N", "CORS preflights per minute of one address"),
  ofWorker("DISCOVERY_READS_PER_MINUTE", "N", "reads of discovery per minute of one address"),
  ofWorker("DISCOVERY_PUBLIC", "BOOLEAN", "true serves discovery without a token"),
  ofWorker("DISCOVERY_MEMBERS", "WHO", "peers that find others: listed, all or none"),
  ofWorker("DISCOVERY_METADATA", "LIST", "public metadata of peers"),
  ofWorker("RECONNECT_SPREAD_SECONDS", "N", "the time over which peers come back after a restart"),
  ofWorker("PEER_RETENTION_DAYS", "N", "days after which a disconnected peer is evicted"),
  ofWorker("STORAGE_LIMIT_MB", "N", "what the database may have, in MB"),
  ofWorker(
    "TASK_PAYLOAD_RETENTION_HOURS",
    "N",
    "hours after its end for which a task's payload is kept",
  ),
  ofWorker("SELECTION_POLICY", "POLICY", "how a peer is chosen: expected-cost or best-score"),
  ofWorker("SHARE_MAX", "SHARE", "a peer with a larger share of the latest tasks comes last"),
  ofWorker("NEWCOMER_SHARE", "SHARE", "share of tasks that explores new peers"),
  ofWorker("SCORE_WEIGHTS", "WEIGHTS", "latency=N,reliability=N,hops=N,distance=N"),
  ofWorker("MESH_LATITUDE", "DEGREES", "where the mesh is; distances are measured from there"),
  ofWorker("MESH_LONGITUDE", "DEGREES", "the same"),
  ofWorker("LOCATION_SERVICE", "URL", "the service that locates peers, in place of a database"),
  ofWorker(
    "OUTBOUND_PROXY",
    "URL",
    "what makes callbacks and dials, in place of Muster's own proxy",
  ),
  ofWorker(
    "OUTBOUND_ALLOW",
    "LIST",
    "private hosts that callbacks and dials may reach: HOST, HOST:PORT, networks",
  ),
  ofWorker("ALLOW_LOOPBACK", "BOOLEAN", "true lets the mesh call this machine: for tests"),
  ofWorker("MESH_ROTATION_ENDS", "TIME", "when MESH_IDENTITY_KEY_NEXT becomes the mesh's key"),
] as const;

export const SETTINGS: readonly Setting[] = [...HOST_SETTINGS, ...WORKER_SETTINGS];

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
] as const;
export type SecretSetting = (typeof SECRETS)[number];

/** The setting that names the file of a secret. */
export const secretFileSetting = (secret: SecretSetting): Setting => ({
  name: `${secret}_FILE`,
  flag: `${secret.toLowerCase().replaceAll("_", "-")}-file`,
  value: "FILE",
  meaning: `the file with ${secret}`,
  of: "host",
});
