import { Queue, QueueEvents, Worker } from "bullmq";
import type { Load } from "./load.ts";
import type { Redis } from "./redis.ts";
import { BATCH } from "./batches.ts";

const QUEUE = "tasks";
const SUBMITTERS = 4;

/** The same load on BullMQ: jobs whose processor does nothing. */
export interface BullMq {
  /** Adds one job and waits for its end. */
  run(): Promise<void>;
  /** Adds jobs in batches and waits until all have ended. */
  runInBatches(count: number): Promise<Load>;
  close(): Promise<void>;
}

export async function connectBullMq(
  { port }: Redis,
  { workers: count, slots }: { readonly workers: number; readonly slots: number },
): Promise<BullMq> {
  const connection = { host: "127.0.0.1", port };
  const queue = new Queue(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  // Every waiting caller listens for the closing of both.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  let ended = 0;
  let onEnded: (() => void) | null = null;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(QUEUE, async () => null, { connection, concurrency: slots });
    worker.on("completed", () => {
      ended++;
      onEnded?.();
    });
    return worker;
  });
  await Promise.all([queue, events, ...workers].map((each) => each.waitUntilReady()));
  return {
    async run() {
      const job = await queue.add(QUEUE, null);
      await job.waitUntilFinished(events);
    },
    async runInBatches(total) {
      const began = performance.now();
      const until = ended + total;
      const { promise: allEnded, resolve } = Promise.withResolvers<void>();
      onEnded = () => ended >= until && resolve();
      await addInBatches(queue, total);
      await allEnded;
      return { calls: total, seconds: (performance.now() - began) / 1_000 };
    },
    async close() {
      await Promise.all([events, ...workers].map((each) => each.close()));
      await queue.close();
    },
  };
}

async function addInBatches(queue: Queue, total: number): Promise<void> {
  let left = total;
  const submitter = async () => {
    while (left > 0) {
      const size = Math.min(BATCH, left);
      left -= size;
      await queue.addBulk(Array.from({ length: size }, () => ({ name: QUEUE, data: null })));
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
}
