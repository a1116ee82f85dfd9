/**
 * A process for `muster join --module`: runs the handlers in a thread, and passes messages between the peer and the thread. The thread
 * may be in a loop that never ends, so this one notices when the peer is gone.
 */
import { nodeThreads } from "../../client/threads/node-thread.ts";
import type { ThreadEnded } from "./module-processes.ts";

/** With a large young generation a thread passes its limit more often before Node can end it. */
const YOUNG_GENERATION_MB = 16;

const memoryMb = Number(process.argv[2]);
const resourceLimits = {
  maxOldGenerationSizeMb: memoryMb,
  maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
};

process.on("disconnect", () => process.exit(1));
// The peer ends this process: a signal to everything in a container, or by a name, must not end running tasks.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

const messages: unknown[] = [];
let receive = (message: unknown): void => void messages.push(message);
process.on("message", (message) => receive(message));

const thread = await nodeThreads({ resourceLimits })({
  message: (data) => void process.send?.(data),
  ended: (reason) => {
    const ended: ThreadEnded = { threadEnded: reason };
    process.send?.(ended, () => process.exit(1));
  },
});
receive = (message) => thread.post(message as Parameters<typeof thread.post>[0]);
for (const message of messages) receive(message);
