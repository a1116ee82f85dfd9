import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectPeer, controller, type MeshClient, type Peer } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { startPlainMesh } from "./plain/mesh.ts";

const WORK_MS = 110_000;
const LEASE_SECONDS = 30;
const ATTEMPT_TIMEOUT_SECONDS = 10;

export const busyHandler: Bench = {
  summary:
    "a handler in a thread that computes for 110 s under a lease of 30 s, and one that loops for ever; a scale shortens both",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    try {
      const mesh = await startPlainMesh({ dir });
      try {
        const { url, meshKey } = mesh;
        const handlersModule = new URL("busy/handlers.ts", import.meta.url);
        const peer = connectPeer({ url, meshKey, handlersModule });
        await peer.ready;
        const control = controller({ url, token: mesh.adminToken });
        const computed = await compute(control, peer, scale);
        log(`computed: ${JSON.stringify(computed)}`);
        const looped = await loop(control, peer, scale);
        await peer.close();
        const ok = computed.state === "succeeded" && computed.attempts === 1 && looped.goes_on;
        const bar =
          "the computation succeeds at its first attempt; the loop ends, the peer goes on";
        return { ok, bar, computed, looped };
      } finally {
        await mesh.stop();
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

async function compute(control: MeshClient, { id: peerId }: Peer, scale: number) {
  const [workMs, leaseSeconds] = [WORK_MS * scale, Math.max(1, LEASE_SECONDS * scale)];
  const began = performance.now();
  const { id } = await control.tasks.submit("compute", workMs, { peerId, leaseSeconds });
  const { state, attempts } = await control.tasks.wait(id);
  const seconds = secondsSince(began);
  return {
    work_seconds: workMs / 1_000,
    lease_seconds: leaseSeconds,
    state,
    attempts: attempts.length,
    seconds,
  };
}

async function loop(control: MeshClient, { id: peerId }: Peer, scale: number) {
  const timeoutSeconds = Math.max(1, ATTEMPT_TIMEOUT_SECONDS * scale);
  const options = { peerId, attemptTimeoutSeconds: timeoutSeconds, maxAttempts: 1 };
  const began = performance.now();
  const { id } = await control.tasks.submit("loop", null, options);
  const { state, error } = await control.tasks.wait(id);
  const endedAfter = secondsSince(began);
  const next = await control.run("echo", "next", { peerId });
  return {
    attempt_timeout_seconds: timeoutSeconds,
    state,
    error,
    ended_after_seconds: endedAfter,
    next_result_after_seconds: secondsSince(began),
    goes_on: state === "failed" && next === "next",
  };
}

const secondsSince = (began: number): number => Math.round((performance.now() - began) / 100) / 10;
