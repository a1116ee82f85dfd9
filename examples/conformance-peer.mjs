// A peer for `muster conformance --cmd "node examples/conformance-peer.mjs"`: docs/conformance.md describes the
// environment and the four kinds. Outside of this repository, import "muster-mesh".
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer } from "muster";

const STEP_MS = 100;

const HANDLERS = {
  echo: (payload) => payload,
  fail: (payload) => {
    throw new Error(payload);
  },
  slow: async ({ seconds }, { progress, signal }) => {
    const steps = Math.ceil((seconds * 1_000) / STEP_MS);
    for (let step = 0; step < steps; step++) {
      progress(step / steps, `step ${step} of ${steps}`);
      await sleep(STEP_MS, undefined, { signal });
    }
    return { seconds };
  },
  big: ({ bytes }) => "x".repeat(bytes),
};

const list = (name) => (process.env[name] ?? "").split(",").filter((each) => each !== "");
const kinds = list("MUSTER_KINDS");

const maxFrame = process.env.MUSTER_MAX_FRAME;

const peer = connectPeer({
  url: process.env.MUSTER_URL,
  meshKey: process.env.MUSTER_MESH_KEY,
  joinKey: process.env.MUSTER_JOIN_KEY,
  privateKey: process.env.MUSTER_PRIVATE_KEY,
  protocol: process.env.MUSTER_PROTOCOL,
  name: process.env.MUSTER_NAME,
  handlers: Object.fromEntries(kinds.map((kind) => [kind, HANDLERS[kind]])),
  slots: Number(process.env.MUSTER_SLOTS ?? 1),
  capabilities: list("MUSTER_CAPABILITIES"),
  ...(maxFrame !== undefined && { maxFrame: Number(maxFrame) }),
  measureHops: false,
});

process.once("SIGTERM", () => void peer.drain());
peer.closed.then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
