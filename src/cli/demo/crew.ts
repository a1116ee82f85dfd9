import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { toHex } from "../../base/bytes.ts";
import { controller, generateIdentity } from "../../client/index.ts";
import { Failure } from "../failure.ts";
import type { MeshProcess } from "../mesh-process.ts";
import { endGroup, takeCharge } from "../process-group.ts";
import {
  Temper,
  type ControllerOrders,
  type Order,
  type Report,
  type WorkerOrders,
} from "./messages.ts";

export const CREW = [...Temper.options, "controller"] as const;
export type CrewName = (typeof CREW)[number];

export type TakeReport = (from: CrewName, report: Report) => void;

/** The demo's four peers, each an operating-system process of its own. */
export interface Crew {
  /** Settles once all four have joined the mesh. */
  readonly joined: Promise<unknown>;
  /** Rejects when one of them ends before it was told to. */
  readonly deserted: Promise<never>;
  tell(name: CrewName, order: Order): void;
  stop(): Promise<void>;
}

/** What a process is told first. */
type Orders = ReadonlyMap<CrewName, WorkerOrders | ControllerOrders>;

/** Puts four new keys on the mesh's allowlist and closes the mesh to all others. */
export async function enlist(mesh: MeshProcess): Promise<Orders> {
  const admin = controller({ url: mesh.url, token: mesh.adminToken });
  await admin.setAuthMode("allowlist");
  const orders = new Map<CrewName, WorkerOrders | ControllerOrders>();
  for (const name of CREW) {
    const keys = generateIdentity();
    const role = name === "controller" ? "controller" : "worker";
    await admin.allow(toHex(keys.publicKey), { label: `demo: ${name}`, roles: [role] });
    const { url, meshKey, adminToken: token } = mesh;
    const joining = { url, meshKey, privateKey: toHex(keys.privateKey) };
    orders.set(name, name === "controller" ? { ...joining, token } : { ...joining, temper: name });
  }
  return orders;
}

/** Starts the processes. */
export function startCrew(orders: Orders, take: TakeReport): Crew {
  const members = new Map(
    [...orders].map(([name, its]) => [name, startMember(name, its, take)] as const),
  );
  const all = [...members.values()];
  return {
    joined: Promise.all(all.map(({ joined }) => joined)),
    deserted: Promise.race(all.map(({ deserted }) => deserted)),
    tell: (name, order) => void members.get(name)?.child.send(order),
    stop: async () => {
      await Promise.all(all.map(({ stop }) => stop()));
    },
  };
}

interface Member {
  readonly child: ChildProcess;
  readonly joined: Promise<void>;
  readonly deserted: Promise<never>;
  readonly stop: () => Promise<void>;
}

function startMember(name: CrewName, orders: object, take: TakeReport): Member {
  const program = join(import.meta.dirname, name === "controller" ? "controller.ts" : "worker.ts");
  const child = spawn(process.execPath, ["--no-warnings", program], {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  takeCharge(child);
  child.send(orders);
  let stopping = false;
  const joined = Promise.withResolvers<void>();
  const deserted = Promise.withResolvers<never>();
  deserted.promise.catch(() => {}); // raced elsewhere; after the end nobody listens
  child.on("message", (message) => {
    const report = message as Report;
    if (report.type === "joined") joined.resolve();
    take(name, report);
  });
  child.on("error", (error) => deserted.reject(error));
  child.on("exit", (code, signal) => {
    if (stopping) return;
    deserted.reject(new Failure(`the process of ${name} ended by itself (${signal ?? code})`));
  });
  const stop = (): Promise<void> => {
    stopping = true;
    return endGroup(child, () => {
      if (child.connected) child.send({ type: "stop" } satisfies Order);
    });
  };
  return { child, joined: joined.promise, deserted: deserted.promise, stop };
}
