import { PUBLIC_FIELDS } from "../../protocol/discovery.ts";

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
  /** What values it may have, after "must be". */
  readonly allowed: string;
  /** Who reads it: the Worker, which also runs on Cloudflare, or its host on this machine. */
  readonly of: "worker" | "host";
}

export const FILE = "a file that exists and can be read";
const COUNT = "a whole number of at least 1";
const BOOLEAN = "true or false";
const SHARE = "a number from 0 to 1";

const ofWorker = (name: string, value: string, meaning: string, allowed: string): Setting => ({
  name,
  flag: name.toLowerCase().replaceAll("_", "-"),
  value,
  meaning,
  allowed,
  of: "worker",
});

const count = (name: string, meaning: string, allowed = COUNT): Setting =>
  ofWorker(name, "N", meaning, allowed);

const alert = (name: string, value: string, meaning: string, max: number): Setting =>
  ofWorker(name, value, meaning, `a number from 0 to ${max}, or off`);

const ofHost = (
  flag: string,
  value: string,
  meaning: string,
  allowed: string,
  name?: string,
): Setting => ({
  name: name ?? `MUSTER_${flag.toUpperCase().replaceAll("-", "_")}`,
  flag,
  value,
  meaning,
  allowed,
  of: "host",
});

const HOST_SETTINGS = [
  ofHost(
    "host",
    "ADDRESS",
    "the address to listen on; default: 127.0.0.1, this machine only",
    "an IP address or a host name of this machine",
  ),
  ofHost(
    "port",
    "N",
    "the port to listen on; default: 8787; 0 selects a free one",
    "a whole number of at most 65535",
  ),
  ofHost(
    "dir",
    "FOLDER",
    "the folder for secrets and state; default: .muster",
    "a folder, which is created if it does not exist",
  ),
  ofHost("config", "FILE", "the file of settings; default: muster.toml, if there is one", FILE),
  ofHost("secrets", "FILE", "the secrets as NAME=VALUE lines; default: those of the folder", FILE),
  ofHost(
    "tls-cert",
    "FILE",
    "the TLS certificate with its chain (PEM); read again when it changes",
    FILE,
  ),
  ofHost("tls-key", "FILE", "the key of the TLS certificate (PEM)", FILE),
  ofHost(
    "connections-per-address",
    "N",
    "connections that one address may have open; default: 4000",
    "a whole number from 1 to 9999999",
  ),
  ofHost("log", "FORM", "the form of log lines: text or json; default: text", "text or json"),
  ofHost(
    "geoip-database",
    "FILE",
    "a MaxMind database (.mmdb) that locates peers",
    FILE,
    "GEOIP_DATABASE",
  ),
] as const;

const WORKER_SETTINGS = [
  ofWorker(
    "MESH_NAME",
    "NAME",
    "the name that peers see",
    "1 to 64 letters, digits, '-', '_' and spaces, beginning and ending with a letter or digit",
  ),
  ofWorker(
    "PUBLIC_URL",
    "URL",
    "where others reach the mesh, as behind a proxy: for links and hints",
    "a URL like https://mesh.example, without user, query and fragment",
  ),
  ofWorker("AUTH_MODE", "MODE", "who may join: allowlist or open", "allowlist or open"),
  ofWorker("GO_P2P", "BOOLEAN", "false refuses go-p2p 1.0", BOOLEAN),
  ofWorker(
    "TRUSTED_PROXIES",
    "LIST",
    "proxies whose X-Forwarded-For is believed",
    "a list of addresses and networks such as 10.0.0.0/8",
  ),
  ofWorker(
    "CORS_ORIGINS",
    "LIST",
    "origins of the web pages that may read answers",
    "a list of origins such as https://app.example and localhost, or * or none alone",
  ),
  count("CELLS", "coordinator cells of the mesh", "a whole number from 1 to 64"),
  count("PEERS_MAX", "peers connected at once to a cell"),
  count("DIALS_MAX", "dialed sessions at once"),
  count("HANDSHAKES_PER_MINUTE", "handshakes per minute of one address"),
  count(
    "FAILED_AUTHORIZATIONS_PER_MINUTE",
    "requests without a valid token per minute of one address",
  ),
  count("FAILED_DELIVERIES_PER_MINUTE", "unverified webhook deliveries per minute of one address"),
  count("PREFLIGHTS_PER_MINUTE", "CORS preflights per minute of one address"),
  count("DISCOVERY_READS_PER_MINUTE", "reads of discovery per minute of one address"),
  ofWorker("DISCOVERY_PUBLIC", "BOOLEAN", "true serves discovery without a token", BOOLEAN),
  ofWorker(
    "DISCOVERY_MEMBERS",
    "WHO",
    "peers that find others: listed, all or none",
    "listed, all or none",
  ),
  ofWorker(
    "DISCOVERY_METADATA",
    "LIST",
    "public metadata of peers",
    `a list of ${PUBLIC_FIELDS.join(", ")}`,
  ),
  count(
    "RECONNECT_SPREAD_SECONDS",
    "the time over which peers come back after a restart",
    "a whole number from 1 to 600",
  ),
  count("PEER_RETENTION_DAYS", "days after which a disconnected peer is evicted"),
  count("STORAGE_LIMIT_MB", "what the database may have, in MB", "a whole number from 20 to 10000"),
  count(
    "TASK_PAYLOAD_RETENTION_HOURS",
    "hours after its end for which a task's payload is kept",
    "a whole number from 1 to 720",
  ),
  ofWorker(
    "SELECTION_POLICY",
    "POLICY",
    "how a peer is chosen: expected-cost or best-score",
    "expected-cost or best-score",
  ),
  ofWorker(
    "SHARE_MAX",
    "SHARE",
    "a peer with a larger share of the latest tasks comes last",
    SHARE,
  ),
  ofWorker("NEWCOMER_SHARE", "SHARE", "share of tasks that explores new peers", SHARE),
  ofWorker(
    "SCORE_WEIGHTS",
    "WEIGHTS",
    "latency=N,reliability=N,hops=N,distance=N",
    "latency=N,reliability=N,hops=N,distance=N with numbers from 0 that sum to 1",
  ),
  ofWorker(
    "MESH_LATITUDE",
    "DEGREES",
    "where the mesh is; distances are measured from there",
    "a number from -90 to 90",
  ),
  ofWorker("MESH_LONGITUDE", "DEGREES", "the same", "a number from -180 to 180"),
  ofWorker(
    "LOCATION_SERVICE",
    "URL",
    "the service that locates peers, in place of a database",
    "platform, none or an http or https URL",
  ),
  ofWorker(
    "OUTBOUND_PROXY",
    "URL",
    "what makes callbacks and dials, in place of Muster's own proxy",
    "an http or https URL",
  ),
  ofWorker(
    "OUTBOUND_ALLOW",
    "LIST",
    "private hosts that callbacks and dials may reach: HOST, HOST:PORT, networks",
    "a list of HOST, HOST:PORT and networks such as 10.0.0.0/8",
  ),
  ofWorker("ALLOW_LOOPBACK", "BOOLEAN", "true lets the mesh call this machine: for tests", BOOLEAN),
  ofWorker(
    "MESH_ROTATION_ENDS",
    "TIME",
    "when MESH_IDENTITY_KEY_NEXT becomes the mesh's key",
    "a time such as 2030-01-31T08:00:00Z",
  ),
  ofWorker(
    "LOG_LEVEL",
    "LEVEL",
    "the lowest level of log lines: debug, info, warn or error; default: info",
    "debug, info, warn or error",
  ),
  ofWorker(
    "OTLP_ENDPOINT",
    "URL",
    "the collector that gets the spans of tasks, by OTLP/HTTP",
    "an http or https URL without a query",
  ),
  ofWorker("TRACE_SAMPLE", "SHARE", "share of traces that it gets; default: 1", SHARE),
  alert(
    "ALERT_PEER_DOWN_MINUTES",
    "MINUTES",
    "alert when a lost peer has not been back for so long; default: 5",
    43_200,
  ),
  alert(
    "ALERT_MASS_FAILURE_PEERS",
    "PEERS",
    "one alert when so many peers were lost at once; default: 5",
    1_000_000,
  ),
  alert(
    "ALERT_CIRCUIT_OPEN_MINUTES",
    "MINUTES",
    "alert when a circuit has been open for so long; default: 5",
    43_200,
  ),
  alert(
    "ALERT_STORAGE_PERCENT",
    "PERCENT",
    "alert when the database has so much of its limit; default: 85",
    100,
  ),
  alert(
    "ALERT_QUEUE_OLD_MINUTES",
    "MINUTES",
    "alert when a task has waited for so long; default: 15",
    43_200,
  ),
  alert("ALERT_QUEUE_LONG", "TASKS", "alert when so many tasks wait; default: 5000", 10_000),
  alert(
    "ALERT_CELL_DOWN_MINUTES",
    "MINUTES",
    "alert when a cell has not answered for so long; default: 2",
    43_200,
  ),
  alert(
    "ALERT_CELL_MESSAGES_MINUTES",
    "MINUTES",
    "alert when a cell has not taken a message for so long; default: 10",
    43_200,
  ),
  alert(
    "ALERT_RESOLVE_MINUTES",
    "MINUTES",
    "an alert ends once nothing has been wrong for so long; default: 2",
    43_200,
  ),
  ofWorker(
    "ALERT_WEBHOOKS",
    "LIST",
    "URLs that are told when alerts fire and end",
    "a list of at most 5 http or https URLs",
  ),
] as const;

export const SETTINGS: readonly Setting[] = [...HOST_SETTINGS, ...WORKER_SETTINGS];
