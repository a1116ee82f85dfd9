import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { controller } from "../client/index.ts";
import { orAborted } from "./abort.ts";
import { Failure } from "./failure.ts";
import { takeLock } from "./lock.ts";
import { checkPort, freePort } from "./ports.ts";
import { endGroup, takeCharge } from "./process-group.ts";
import {
  ensureSecrets,
  meshKeyOf,
  stateFolder,
  writeMeshFile,
  type StateFolder,
} from "./state-folder.ts";
import { buildWorker, spawnWrangler } from "./wrangler.ts";

/** wrangler and workerd start in 2 s here; a cold, slow machine gets much more. */
const START_MS = 40_000;
/** All peers of a mesh on one machine come from one address. */
const LOCAL_VARIABLES = { HANDSHAKES_PER_MINUTE: "6000" };
/** Lines of wrangler's output that are kept to explain a failed start. */
const LINES_KEPT = 20;

export interface MeshOptions {
  /** The state folder. */
  readonly dir: string;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Variables of the Worker over those of wrangler.toml. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The key that the mesh will answer under, where that is not the one in its secrets: it has rotated. */
  readonly meshKey?: string;
  /** Takes the mesh's warnings and errors, line by line. */
  readonly onLog?: (line: string) => void;
  /** Gives up the start; `startMesh` then rejects with the signal's reason, and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

/** A mesh that runs as child processes of this one. */
export interface MeshProcess {
  readonly url: string;
  readonly adminToken: string;
  /** The mesh's public key, in hex. */
  readonly meshKey: string;
  readonly folder: StateFolder;
  /** Of wrangler, the parent of all that runs. */
  readonly pid: number | undefined;
  /** Settles when the mesh ends, whoever ended it. */
  readonly exited: Promise<void>;
  /** Ends the mesh with everything that it started. */
  stop(): Promise<void>;
}

/** Starts a mesh on this machine's workerd; its state stays in `dir`. Settles once it answers. */
export async function startMesh(options: MeshOptions): Promise<MeshProcess> {
  const { host = "127.0.0.1", dir, onLog = () => {} } = options;
  const folder = stateFolder(dir);
  const secrets = await ensureSecrets(folder);
  const unlock = await takeLock(folder.lock);
  try {
    if (options.port !== 0) await checkPort(host, options.port);
    await buildWorker(folder, options.signal);
    const port = options.port === 0 ? await freePort(host) : options.port;
    const variables = { ...LOCAL_VARIABLES, ...options.variables };
    const wrangler = watched(spawnWrangler({ folder, host, port, variables }), onLog);
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const stop = async (): Promise<void> => {
      await endGroup(wrangler.child, () => void wrangler.child.kill("SIGINT"));
      await unlock();
    };
    const meshKey = options.meshKey ?? meshKeyOf(secrets);
    try {
      await orAborted(answering(url, meshKey, wrangler), options.signal);
      await writeMeshFile(folder, { url, mesh_key: meshKey });
    } catch (error) {
      await stop();
      throw error;
    }
    const { exited, child } = wrangler;
    const { pid } = child;
    return { url, adminToken: secrets.ADMIN_TOKEN, meshKey, folder, pid, exited, stop };
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface Watched {
  readonly child: ChildProcess;
  /** wrangler says by IPC when workerd listens. */
  readonly listening: Promise<void>;
  readonly exited: Promise<void>;
  readonly lastLines: readonly string[];
}

/** Takes charge of wrangler and listens to what it says. */
function watched(child: ChildProcess, onLog: (line: string) => void): Watched {
  takeCharge(child);
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + stripVTControlCharacters(text)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter((each) => each.trim() !== "")) {
        lastLines.push(line);
        if (lastLines.length > LINES_KEPT) lastLines.shift();
        onLog(line);
      }
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const listening = new Promise<void>((resolve) => {
    child.once("message", () => resolve());
  });
  return { child, listening, exited, lastLines };
}

/** Waits until the mesh answers under its own key. */
async function answering(url: string, meshKey: string, wrangler: Watched): Promise<void> {
  const late = sleep(START_MS, "late" as const, { ref: false });
  const answer = wrangler.listening.then(() => controller({ url }).mesh());
  const outcome = await Promise.race([answer, wrangler.exited, late]);
  if (typeof outcome !== "object") {
    const what = outcome === "late" ? `did not answer in ${START_MS / 1_000} s` : "did not start";
    throw new Failure([`the mesh ${what}`, ...wrangler.lastLines].join("\n"));
  }
  if (outcome.public_key !== meshKey) throw new Failure(`another mesh answers at ${url}`);
}
