import type { ChildProcess } from "node:child_process";
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { redact } from "../base/redact.ts";
import { controller } from "../client/index.ts";
import { orAborted } from "./abort.ts";
import { reachableHost, startingAuthMode } from "./listen-address.ts";
import { Failure } from "./failure.ts";
import { openEntrance, type Entrance } from "./entrance.ts";
import { openGeoDatabase } from "./geoip/database.ts";
import { acquireLock } from "./lock.ts";
import type { Resolve } from "./outbound/checked-addresses.ts";
import { CORS_ORIGINS_DEFAULT } from "./page-origin.ts";
import { checkPort, freePort } from "./ports.ts";
import { endGroup, registerGroup } from "./process-group.ts";
import {
  ensureSecrets,
  meshKeyOf,
  stateFolder,
  writeMeshFile,
  writeStartFile,
  type StateFolder,
} from "./state-folder.ts";
import { onLines } from "./stream-lines.ts";
import { buildWorker, spawnWrangler } from "./wrangler.ts";

/** wrangler and workerd start in 2 s on an idle machine; a cold or busy one needs much longer. */
const START_TIMEOUT_MS = 40_000;
/** All peers of a local mesh have one address, which has budgets. */
const LOCAL_VARIABLES = {
  HANDSHAKES_PER_MINUTE: "6000",
  DISCOVERY_READS_PER_MINUTE: "6000",
  CORS_ORIGINS: CORS_ORIGINS_DEFAULT,
};
/** How many lines of wrangler's output the error of a failed start shows. */
const LOG_LINES_MAX = 20;

export interface MeshOptions {
  /** The state folder. */
  readonly dir: string;
  readonly host?: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** Any peer may join although others reach the address, until another mode is set over HTTP. */
  readonly open?: boolean;
  /** Variables of the Worker; they override those of wrangler.toml. */
  readonly variables?: Readonly<Record<string, string>>;
  /** A file in MaxMind's format that locates peers by their address; without it their locations are unknown. */
  readonly geoipDatabase?: string | undefined;
  /** Resolves the names of the URLs that the mesh calls; default: the resolver of the system. */
  readonly resolve?: Resolve | undefined;
  /** The mesh key that the mesh must prove, if a rotation has replaced the one in its secrets. */
  readonly meshKey?: string;
  /** Called with each line of the warnings and errors of the mesh. */
  readonly onLog?: (line: string) => void;
  /** Aborts the start: `startMesh` then ends what it started and rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** A mesh that runs in child processes of this process. */
export interface MeshProcess {
  readonly url: string;
  readonly adminToken: string;
  /** The public key of the mesh, in hex. */
  readonly meshKey: string;
  readonly folder: StateFolder;
  /** The PID of wrangler, which leads the process group of the mesh. */
  readonly pid: number | undefined;
  /** Resolves when the mesh has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends the mesh and every process that it started. */
  stop(): Promise<void>;
}

/** Starts a mesh on the local workerd, with its state in `dir`. Resolves when the mesh answers requests. */
export async function startMesh(options: MeshOptions): Promise<MeshProcess> {
  const { host = "127.0.0.1", dir, onLog = () => {} } = options;
  // Before anything is built: the file may not exist.
  const geoDatabase = options.geoipDatabase && (await openGeoDatabase(options.geoipDatabase));
  const folder = stateFolder(dir);
  const secrets = await ensureSecrets(folder);
  const unlock = await acquireLock(folder.lock);
  let entrance: Entrance | null = null;
  try {
    if (options.port !== 0) await checkPort(host, options.port);
    await buildWorker(folder, options.signal);
    const port = options.port === 0 ? await freePort(host) : options.port;
    entrance = await openEntrance(host, port, { ...options, ...(geoDatabase && { geoDatabase }) });
    await writeStartFile(folder, entrance.secretVariables);
    const variables = {
      ...LOCAL_VARIABLES,
      AUTH_MODE: options.open === true ? "open" : startingAuthMode(host),
      ...entrance.variables,
      ...options.variables,
    };
    const wrangler = watchWrangler(spawnWrangler({ folder, ...entrance.listen, variables }), onLog);
    const url = `http://${reachableHost(host, addressesOfThisMachine())}:${port}`;
    const stop = async (): Promise<void> => {
      await endGroup(wrangler.child, () => void wrangler.child.kill("SIGINT"));
      entrance?.stop();
      await unlock();
    };
    const meshKey = options.meshKey ?? meshKeyOf(secrets);
    try {
      await orAborted(waitForMesh(url, meshKey, wrangler), options.signal);
      await writeMeshFile(folder, { url, mesh_key: meshKey });
    } catch (error) {
      await stop();
      throw error;
    }
    const { exited, child } = wrangler;
    const { pid } = child;
    return { url, adminToken: secrets.ADMIN_TOKEN, meshKey, folder, pid, exited, stop };
  } catch (error) {
    entrance?.stop();
    await unlock();
    throw error;
  }
}

const addressesOfThisMachine = (): NetworkInterfaceInfo[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

interface WatchedProcess {
  readonly child: ChildProcess;
  /** Resolves when wrangler reports over IPC that workerd listens. */
  readonly listening: Promise<void>;
  readonly exited: Promise<void>;
  readonly lastLines: readonly string[];
}

/** Registers the process group of wrangler and reads its output. */
function watchWrangler(child: ChildProcess, onLog: (line: string) => void): WatchedProcess {
  registerGroup(child);
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    onLines(stream, (text) => {
      const line = redact(text);
      lastLines.push(line);
      if (lastLines.length > LOG_LINES_MAX) lastLines.shift();
      onLog(line);
    });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const listening = new Promise<void>((resolve) => {
    child.once("message", () => resolve());
  });
  return { child, listening, exited, lastLines };
}

/** Waits until the mesh answers and proves its own key. */
async function waitForMesh(url: string, meshKey: string, wrangler: WatchedProcess): Promise<void> {
  const timeout = sleep(START_TIMEOUT_MS, "timeout" as const, { ref: false });
  const answer = wrangler.listening.then(() => controller({ url }).settings.mesh());
  const outcome = await Promise.race([answer, wrangler.exited, timeout]);
  if (typeof outcome !== "object") {
    const what =
      outcome === "timeout"
        ? `the mesh did not answer within ${START_TIMEOUT_MS / 1_000} s`
        : "the mesh did not start";
    throw new Failure(what, undefined, wrangler.lastLines);
  }
  if (outcome.public_key !== meshKey)
    throw new Failure(
      `another mesh answers at ${url}: its key is ${outcome.public_key}, not ${meshKey}`,
    );
}
