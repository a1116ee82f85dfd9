/** The configuration of workerd for a mesh: see `workerd.capnp` in the package `workerd`. */
import { BUNDLES } from "./bundle.ts";

/** That of `wrangler.toml`. */
export const COMPATIBILITY_DATE = "2026-10-01";

/** The header in which the front states the address of a client. workerd removes it from requests. */
export const CONNECTION_HEADER = "muster-connection";

export interface WorkerdConfig {
  /** The Unix socket on which the mesh listens. */
  readonly socket: string;
  /** The folder of the Durable Objects. */
  readonly objects: string;
  /** Names of the Worker's variables and secrets. workerd takes the values from its environment. */
  readonly variables: readonly string[];
  /** Addresses of the host's own services: `127.0.0.1:PORT`. */
  readonly proxy: string;
  readonly locations: string | null;
  readonly disk: string;
  /** Origins that the operator has configured, which may be private. */
  readonly configuredOrigins: readonly string[];
}

/** The name of the environment variable that has the value of a variable of the Worker. */
export const environmentName = (variable: string): string => `MUSTER_WORKER_${variable}`;

/**
 * The names of the Durable Object namespaces, which are folders: data of a mesh is found by them. `muster` is the name of the
 * Worker in `wrangler.toml`: `wrangler dev` would find the same data.
 */
const NAMESPACES = {
  Coordinator: "muster-Coordinator",
  PeerSession: "muster-PeerSession",
  KvStore: "muster-KvStore",
} as const;

/** The configuration as a text, in a folder with the bundles. It has no secret. */
export const workerdConfig = (config: WorkerdConfig): string =>
  `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  logging = (structuredLogging = true),
  services = [
    (name = "mesh", worker = .mesh),
    (name = "kv", worker = .kv),
    (name = "outbound", worker = .outbound),
    (name = "objects", disk = (path = ${quote(config.objects)}, writable = true)),
    (name = "public", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "configured", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    (name = "disk", external = (address = ${quote(config.disk)}, http = ())),
    (name = "proxy", external = (address = ${quote(config.proxy)}, http = ())),
${config.locations === null ? "" : `    (name = "locations", external = (address = ${quote(config.locations)}, http = ())),\n`}  ],
  sockets = [
    (name = "mesh", address = ${quote(`unix:${config.socket}`)}, service = "mesh",
      http = (cfBlobHeader = ${quote(CONNECTION_HEADER)})),
  ],
);

const mesh :Workerd.Worker = (
  ${moduleOf("mesh")}
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  globalOutbound = "outbound",
  durableObjectNamespaces = [${namespace("PeerSession")}, ${namespace("Coordinator")}],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [
    (name = "PEER_SESSION", durableObjectNamespace = "PeerSession"),
    (name = "COORDINATOR", durableObjectNamespace = "Coordinator"),
    (name = "BLOBS", kvNamespace = "kv"),
    (name = "DISK", service = "disk"),
${config.variables.map((name) => `    (name = ${quote(name)}, fromEnvironment = ${quote(environmentName(name))}),\n`).join("")}  ],
);

const kv :Workerd.Worker = (
  ${moduleOf("kv")}
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  durableObjectNamespaces = [${namespace("KvStore")}],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [
    (name = "STORE", durableObjectNamespace = "KvStore"),
    (name = "DISK", service = "disk"),
  ],
);

const outbound :Workerd.Worker = (
  ${moduleOf("outbound")}
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  globalOutbound = "public",
  bindings = [
    (name = "PROXY", service = "proxy"),
${config.locations === null ? "" : `    (name = "LOCATIONS", service = "locations"),\n`}    (name = "CONFIGURED", service = "configured"),
    (name = "PUBLIC", service = "public"),
    (name = "CONFIGURED_ORIGINS", text = ${quote(config.configuredOrigins.join(" "))}),
  ],
);
`;

const moduleOf = (bundle: keyof typeof BUNDLES): string =>
  `modules = [(name = ${quote(BUNDLES[bundle])}, esModule = embed ${quote(BUNDLES[bundle])})],`;

/**
 * Those of one object, which stay open: workerd would close an object after 10 s without work, and opening its database again needs room on
 * the disk also for those that only read (SQLite makes the file `-shm`). Sessions are many, and take memory and files only while they work.
 */
const KEPT_OPEN: ReadonlySet<keyof typeof NAMESPACES> = new Set(["Coordinator", "KvStore"]);

function namespace(className: keyof typeof NAMESPACES): string {
  const keptOpen = KEPT_OPEN.has(className) ? ", preventEviction = true" : "";
  return `(className = ${quote(className)}, uniqueKey = ${quote(NAMESPACES[className])}, enableSql = true${keptOpen})`;
}

/** Cap'n Proto's strings have the escapes of C, without those of Unicode: bytes beyond ASCII stand for themselves. */
function quote(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&");
  // oxlint-disable-next-line no-control-regex -- a control character is escaped as a byte
  return `"${escaped.replace(/[\u0000-\u001f\u007f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;
}
