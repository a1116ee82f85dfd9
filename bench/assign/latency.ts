import { once } from "node:events";
import type { PlainMesh } from "../plain/mesh.ts";
import type { Workerd } from "../plain/workerd.ts";
import { HttpCaller } from "./http-caller.ts";
import { connectPeers, KIND } from "./peers.ts";
import { TaskApi } from "./task-api.ts";

/** Latencies in milliseconds, one of each for each task. */
export interface TaskLatencies {
  /** From the caller's POST until the peer starts the task. */
  readonly receipts: number[];
  /** From the caller's POST until the caller has the result. */
  readonly results: number[];
}

/** Measures one call at a time, on an idle server. */
export interface LatencyProbe {
  measure(): Promise<void>;
  close(): Promise<void>;
}

/** The floor: from a POST to a bare object, which commits one row and sends one frame, until the frame arrives. */
export async function probeBare({ url }: Workerd, latencies: number[]): Promise<LatencyProbe> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ledger`);
  await once(socket, "open");
  const http = new HttpCaller(url);
  return {
    async measure() {
      const frame = once(socket, "message").then(() => performance.now());
      const began = performance.now();
      await http.send("POST", "/ledger", "{}");
      latencies.push((await frame) - began);
    },
    async close() {
      socket.close();
      http.close();
    },
  };
}

/** The time of one task through a mesh, from an idle caller to an idle peer and back. */
export async function probeMesh(
  mesh: PlainMesh,
  { receipts, results }: TaskLatencies,
): Promise<LatencyProbe> {
  let receipt = Promise.withResolvers<number>();
  const onRun = () => receipt.resolve(performance.now());
  const peers = await connectPeers(mesh, { count: 1, slots: 2, onRun });
  const api = new TaskApi(mesh);
  return {
    async measure() {
      receipt = Promise.withResolvers();
      const began = performance.now();
      await api.run(KIND);
      results.push(performance.now() - began);
      receipts.push((await receipt.promise) - began);
    },
    async close() {
      api.close();
      await peers.close();
    },
  };
}
