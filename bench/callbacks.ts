import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller, type MeshClient } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { startPlainMesh } from "./plain/mesh.ts";

const DEAD = 2;
const TO_EACH_DEAD = 60;
const TO_HEALTHY = 30;
/** Seconds within which the healthy receiver has all its callbacks. */
const SECONDS_MAX = 2;
const KIND = "callbacks";

export const callbacks: Bench = {
  summary: `${TO_EACH_DEAD} callbacks to each of ${DEAD} receivers that never answer, and ${TO_HEALTHY} to a healthy one: seconds until those are heard`,
  async run(log) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startPlainMesh({ dir });
    const deadAttempts: number[] = [];
    const heard: number[] = [];
    const dead = await Promise.all(
      Array.from({ length: DEAD }, () => listening(() => void deadAttempts.push(Date.now()))),
    );
    const healthy = await listening((answer) => {
      heard.push(Date.now());
      answer();
    });
    try {
      const client = controller({ url: mesh.url, token: mesh.adminToken });
      for (const server of dead) await give(client, server, TO_EACH_DEAD);
      await give(client, healthy, TO_HEALTHY);
      const began = Date.now();
      await client.tasks.cancelMany({ kind: KIND });
      while (heard.length < TO_HEALTHY && Date.now() - began < 120_000) await sleep(20);
      const seconds = (Math.max(...heard) - began) / 1_000;
      log(`${heard.length} callbacks heard in ${seconds} s`);
      return {
        ok: heard.length === TO_HEALTHY && seconds <= SECONDS_MAX,
        bar: `all ${TO_HEALTHY} are heard within ${SECONDS_MAX} s of the end of their tasks`,
        heard: heard.length,
        seconds,
        attempts_at_dead: deadAttempts.length,
      };
    } finally {
      for (const server of [...dead, healthy]) {
        server.closeAllConnections();
        server.close();
      }
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** A receiver; `onRequest` is called with each request, and with the function that answers it. */
async function listening(onRequest: (answer: () => void) => void): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => onRequest(() => void response.writeHead(204).end()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Submits tasks that wait, with callbacks to a receiver. */
async function give(client: MeshClient, server: Server, count: number): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let n = 0; n < count; n++) await client.tasks.submit(KIND, null, { callback: { url } });
}
