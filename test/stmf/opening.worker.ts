/** Opens a container in a heap of its own, and tells what came of it: `memory.test.ts` bounds that heap. */
import { parentPort, workerData } from "node:worker_threads";
import { openForm } from "../../src/stmf/seal.ts";

const { container, privateKey } = workerData as Record<"container" | "privateKey", Uint8Array>;
const opened = openForm(container, privateKey);
parentPort?.postMessage(opened.ok ? "ok" : opened.error.code, []);
