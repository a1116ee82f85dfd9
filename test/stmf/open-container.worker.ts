/** Opens a container in a worker thread, whose heap `memory.test.ts` limits, and reports the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { openForm } from "../../src/stmf/seal.ts";

const { container, privateKey } = workerData as Record<"container" | "privateKey", Uint8Array>;
const opened = openForm(container, privateKey);
parentPort?.postMessage(opened.ok ? "ok" : opened.error.code, []);
