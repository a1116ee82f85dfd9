import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { orAborted } from "../src/cli/abort.ts";
import { readTrustedProxies } from "../src/access/client-address.ts";
import { databaseIn } from "../src/cli/backup/object-file.ts";
import { requireDatabases } from "../src/cli/backup/require-databases.ts";
import { damagedDatabase } from "../src/cli/damaged-database.ts";
import { Failure } from "../src/cli/failure.ts";
import { refuseNewerFolder, writeFolderVersion } from "../src/cli/folder-version.ts";
import { isOnlyLocal, reachableHost, startingAuthMode } from "../src/cli/listen-address.ts";
import { acquireLock } from "../src/cli/lock.ts";
import type { MeshOptions, MeshProcess } from "../src/cli/server-module.ts";
import {
  ensureSecrets,
  lastAuthMode,
  makeStateFolder,
  meshKeyOf,
  stateFolder,
  writeMeshFile,
  type StateFolder,
} from "../src/cli/state-folder.ts";
import type { Logger } from "../src/base/log/logger.ts";
import type { Secrets } from "../src/cli/secrets-file.ts";
import { readOutboundAllow, type OutboundAllow } from "../src/protocol/outbound-allow.ts";
import { readPublicUrl } from "../src/protocol/public-url.ts";
import { askMesh } from "./ask-mesh.ts";
import { provideBundles } from "./bundle.ts";
import { DamageWatch } from "./disk/damage-watch.ts";
import { DiskWatch } from "./disk/disk-watch.ts";
import { ConnectionLimit } from "./front/connection-limit.ts";
import { startFront, type Front } from "./front/front.ts";
import { CORS_ORIGINS_DEFAULT, pageOriginsOf } from "./front/page-origin.ts";
import { openGeoDatabase } from "./geoip/database.ts";
import { hostLog, type HostLog } from "./host-log.ts";
import { startHostServices, type HostServices } from "./host-services.ts";
import { readyMesh } from "./ready-mesh.ts";
import { objectsFolder, runFolder, type RunFolder } from "./state-layout.ts";
import { checkFolderSecrets } from "./settings/check-worker-setting.ts";
import { readTls } from "./tls.ts";
import { TlsReload } from "./tls-reload.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

/** workerd starts in half a second on an idle machine; a cold or busy one needs much longer. */
const START_TIMEOUT_MS = 40_000;
/** All peers of a local mesh have one address, which has budgets. */
const LOCAL_VARIABLES = {
  HANDSHAKES_PER_MINUTE: "6000",
  DISCOVERY_READS_PER_MINUTE: "6000",
  CORS_ORIGINS: CORS_ORIGINS_DEFAULT,
  // Its terminal is for a person.
  LOG_LEVEL: "warn",
};
/** A site behind one address may have many peers; each takes two file descriptors. */
const CONNECTIONS_PER_ADDRESS = 4_000;
/** How long the mesh may take to end its sessions. */
const DRAIN_TIMEOUT_MS = 3_000;
/** How long a peer may take to confirm the end of its session. */
const CLOSE_TIMEOUT_MS = 500;

/** What a start has opened so far, in the order in which it ends. */
interface Parts {
  log?: HostLog;
  tls?: TlsReload;
  front?: Front;
  workerd?: Workerd;
  services?: HostServices;
  disk?: DiskWatch;
  run?: RunFolder;
  unlock?: () => Promise<void>;
}

/** Starts a mesh on workerd, with its state in `dir`. Resolves when the mesh answers requests. */
export async function startMesh(options: MeshOptions): Promise<MeshProcess> {
  const parts: Parts = {};
  try {
    return await startParts(options, parts);
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
}

async function startParts(options: MeshOptions, parts: Parts): Promise<MeshProcess> {
  const { host = "127.0.0.1", dir, signal, variables: chosen = {} } = options;
  const { isLocal = true, tls: tlsFiles = null, sources = {} } = options;
  const log = (parts.log = hostLog(options.onLog ?? (() => {}), {
    ...(isLocal && LOCAL_VARIABLES),
    ...chosen,
  }));
  // Before anything is made: the file may not exist.
  const geoDatabase =
    options.geoipDatabase &&
    (await openGeoDatabase(options.geoipDatabase, sources["GEOIP_DATABASE"]));
  const folder = stateFolder(dir);
  await makeStateFolder(folder);
  // Before anything of it is read: a newer version may have other secrets.
  await refuseNewerFolder(folder);
  const secrets = await secretsOf(folder, options.secrets ?? {});
  parts.unlock = await acquireLock(folder.lock);
  await refuseNewerFolder(folder);
  // Before the database is migrated: an older version must not open it afterwards.
  await writeFolderVersion(folder);
  const lastMode = await lastAuthMode(folder);
  const run = (parts.run = await runFolder(folder));
  const tlsSources = [sources["MUSTER_TLS_CERT"], sources["MUSTER_TLS_KEY"]];
  const tls = tlsFiles === null ? null : await readTls(tlsFiles, tlsSources);
  const pages = pageOriginsOf(chosen["CORS_ORIGINS"]);
  const allow = outboundAllowOf(chosen["OUTBOUND_ALLOW"]);
  // A mesh that only this machine reaches is open: a page of any site could make the browser join it. Behind a proxy others reach it, too.
  const publicUrl = publicUrlOf(chosen["PUBLIC_URL"]);
  const isGuarded = isOnlyLocal(host, publicUrl) && chosen["TRUSTED_PROXIES"] === undefined;
  const front = (parts.front = await startFront({
    host,
    port: options.port,
    named: {
      host: sources["MUSTER_HOST"] ?? "--host",
      port: sources["MUSTER_PORT"] ?? "--port",
    },
    mesh: run.socket,
    pages: isGuarded ? pages : null,
    tls,
    ...connectionLimit(options, log),
  }));
  const objects = await objectsFolder(folder);
  await requireDatabases(objects, lastMode !== null);
  await provideBundles(run.folder);
  signal?.throwIfAborted();
  const damage = new DamageWatch({ folder: folder.root, log, now: Date.now });
  const disk = (parts.disk = new DiskWatch({ folder: folder.root, log, now: Date.now }));
  const services = (parts.services = await startHostServices({
    ...(geoDatabase && { geoDatabase }),
    diskShortage: () => disk.check(),
    resolve: options.resolve,
    allow,
  }));
  const variables = {
    ...(isLocal && {
      ...LOCAL_VARIABLES,
      AUTH_MODE: startingAuthMode(host, publicUrl, lastMode),
    }),
    ...services.variables,
    ...chosen,
  };
  const workerd = (parts.workerd = await startWorkerd({
    folder: run.folder,
    config: {
      socket: run.socket,
      objects,
      proxy: services.proxy,
      locations: services.locations,
      disk: services.disk,
      configuredOrigins: configuredOrigins({ ...secrets, ...chosen }),
    },
    variables: { ...secrets, ...variables },
    log,
    admits: (text) => disk.admits(text) && damage.admits(text),
  }));
  const meshKey = options.meshKey ?? meshKeyOf(secrets);
  const token = secrets.ADMIN_TOKEN;
  const ready = await orAborted(
    Promise.race([
      workerd.listening
        .then(() => readyMesh(run.socket, meshKey, token))
        .catch((error: unknown) => {
          throw damage.code === null ? error : damagedDatabase(databaseIn(objects), damage.code);
        }),
      tooLate(workerd),
    ]),
    signal,
  );
  if (tlsFiles !== null && tls !== null)
    parts.tls = new TlsReload({
      files: tlsFiles,
      sources: tlsSources,
      current: tls,
      use: (certificate) => front.setTls(certificate),
      log,
    });
  const url = `${tls === null ? "http" : "https"}://${reachableHost(host, addressesOfThisMachine())}:${front.port}`;
  await writeMeshFile(folder, {
    url,
    mesh_key: meshKey,
    auth_mode: ready.authMode,
    ...(publicUrl !== null && { public_url: publicUrl }),
  });
  damage.started();
  const { exited, pid } = workerd;
  return {
    url,
    publicUrl,
    adminToken: token,
    meshKey,
    authMode: ready.authMode,
    folder,
    pid,
    exited,
    drain: () => drain(front, run.socket, token),
    reloadTls: async () => parts.tls?.reload(),
    stop: () => stopParts(parts),
  };
}

/** Those that are given, or the folder's own. */
async function secretsOf(
  folder: StateFolder,
  given: Readonly<Record<string, string>>,
): Promise<Secrets & Readonly<Record<string, string>>> {
  if (given["ADMIN_TOKEN"] !== undefined) return given as Secrets & typeof given;
  const own = await ensureSecrets(folder);
  checkFolderSecrets(own, folder.secrets);
  return { ...own, ...given };
}

async function tooLate(workerd: Workerd): Promise<never> {
  await sleep(START_TIMEOUT_MS, undefined, { ref: false });
  const what = `the mesh did not answer within ${START_TIMEOUT_MS / 1_000} s`;
  throw new Failure(what, undefined, workerd.lastLines);
}

async function drain(front: Front, socket: string, token: string): Promise<void> {
  front.refuseNew();
  const question = { method: "POST", path: "/v1/mesh/drain", token, json: { pause_seconds: 0 } };
  // Peers that were not told notice that the mesh is gone, and come back, too.
  await askMesh(socket, { ...question, signal: AbortSignal.timeout(DRAIN_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  await Promise.race([front.closed(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
}

async function stopParts(parts: Parts): Promise<void> {
  const { log, tls, front, workerd, services, disk, run, unlock } = parts;
  tls?.stop();
  front?.stop();
  await workerd?.stop();
  services?.stop();
  disk?.stop();
  log?.stop();
  await run?.remove();
  await unlock?.();
}

/** All peers of a mesh for trying out have one address: it has no limit. */
function connectionLimit(options: MeshOptions, log: Logger): { readonly limit?: ConnectionLimit } {
  const { isLocal = true, variables = {} } = options;
  const max = options.connectionsPerAddress ?? (isLocal ? Infinity : CONNECTIONS_PER_ADDRESS);
  if (max === Infinity) return {};
  // The Worker reports a list that can't be read.
  const trusted = readTrustedProxies(variables["TRUSTED_PROXIES"] ?? "");
  const limit = new ConnectionLimit({
    max,
    trusted: trusted.ok ? trusted.value : [],
    onRefused: (address) => log.write("connection.refused", { address, limit: max }),
  });
  return { limit };
}

/** The origins of services that the operator names, by settings or secrets: they may be private, unlike what callers name. */
const configuredOrigins = (variables: Readonly<Record<string, string>>): string[] =>
  ["UPSTASH_REDIS_REST_URL", "LOCATION_SERVICE", "OUTBOUND_PROXY", "OTLP_ENDPOINT"].flatMap(
    (name) => {
      const text = variables[name] ?? "";
      return URL.canParse(text) ? [new URL(text).origin] : [];
    },
  );

/** `PUBLIC_URL` as links have it; null if it is not set. */
function publicUrlOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = readPublicUrl(text);
  if (!url.ok) throw new Failure(`PUBLIC_URL ${url.error}`);
  return url.value;
}

/** The hosts that `OUTBOUND_ALLOW` lists. */
function outboundAllowOf(text: string = ""): OutboundAllow {
  const allow = readOutboundAllow(text);
  if (!allow.ok) throw new Failure(`OUTBOUND_ALLOW ${allow.error}`);
  return allow.value;
}

const addressesOfThisMachine = (): NetworkInterfaceInfo[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
