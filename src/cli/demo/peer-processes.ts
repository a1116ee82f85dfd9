import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { toHex } from "../../base/bytes.ts";
import { controller, generateIdentity } from "../../client/index.ts";
import { Failure } from "../failure.ts";
import type { MeshProcess } from "../server-module.ts";
import { endGroup, registerGroup } from "../process-group.ts";
import { onLines } from "../stream-lines.ts";
import {
  Behavior,
  type ControllerConfig,
  type Instruction,
  type PeerReport,
  type WorkerConfig,
} from "./messages.ts";

const CONTROLLER = new URL("./controller.ts", import.meta.url);
const WORKER = new URL("./worker.ts", import.meta.url);

const PEER_NAMES = [...Behavior.options, "controller"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export type OnReport = (from: PeerName, report: PeerReport) => void;

/** The demo's four peers, each in its own operating-system process. */
export interface PeerProcesses {
  /** Resolves when all four have joined the mesh. */
  readonly joined: Promise<unknown>;
  /** Rejects when a process ends although nobody stopped it. */
  readonly crashed: Promise<never>;
  send(name: PeerName, instruction: Instruction): void;
  stop(): Promise<void>;
}

type PeerConfigs = ReadonlyMap<PeerName, WorkerConfig | ControllerConfig>;

/** Generates four keys, adds them to the mesh's allowlist, and closes the mesh to every other key. */
export async function registerPeers(mesh: MeshProcess): Promise<PeerConfigs> {
  const admin = controller({ url: mesh.url, token: mesh.adminToken });
  await admin.settings.setAuthMode("allowlist");
  const configs = new Map<PeerName, WorkerConfig | ControllerConfig>();
  for (const name of PEER_NAMES) {
    const keys = generateIdentity();
    const role = name === "controller" ? "controller" : "worker";
    await admin.allowlist.put(toHex(keys.publicKey), { label: `demo: ${name}`, roles: [role] });
    const { url, meshKey, adminToken: token } = mesh;
    const connection = { url, meshKey, privateKey: toHex(keys.privateKey) };
    configs.set(
      name,
      name === "controller" ? { ...connection, token } : { ...connection, behavior: name },
    );
  }
  return configs;
}

/** Starts the processes. */
export function startPeers(configs: PeerConfigs, onReport: OnReport): PeerProcesses {
  const processes = new Map(
    [...configs].map(([name, config]) => [name, startPeer(name, config, onReport)] as const),
  );
  const all = [...processes.values()];
  return {
    joined: Promise.all(all.map(({ joined }) => joined)),
    crashed: Promise.race(all.map(({ crashed }) => crashed)),
    send: (name, instruction) => void processes.get(name)?.child.send(instruction),
    stop: async () => {
      await Promise.all(all.map(({ stop }) => stop()));
    },
  };
}

interface PeerProcess {
  readonly child: ChildProcess;
  readonly joined: Promise<void>;
  readonly crashed: Promise<never>;
  readonly stop: () => Promise<void>;
}

function startPeer(name: PeerName, config: object, onReport: OnReport): PeerProcess {
  const program = fileURLToPath(name === "controller" ? CONTROLLER : WORKER);
  const child = spawn(process.execPath, ["--no-warnings", program], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  registerGroup(child);
  onLines(child.stderr, (text) => onReport(name, { type: "warning", text }));
  child.send(config);
  let stopping = false;
  const joined = Promise.withResolvers<void>();
  const crashed = Promise.withResolvers<never>();
  crashed.promise.catch(() => {}); // the demo waits for it only while it runs
  child.on("message", (message) => {
    const report = message as PeerReport;
    if (report.type === "joined") joined.resolve();
    onReport(name, report);
  });
  child.on("error", (error) => crashed.reject(error));
  child.on("exit", (code, signal) => {
    if (stopping) return;
    crashed.reject(new Failure(`the process of ${name} ended unexpectedly (${signal ?? code})`));
  });
  const stop = (): Promise<void> => {
    stopping = true;
    return endGroup(child, () => {
      if (child.connected) child.send({ type: "stop" } satisfies Instruction);
    });
  };
  return { child, joined: joined.promise, crashed: crashed.promise, stop };
}
