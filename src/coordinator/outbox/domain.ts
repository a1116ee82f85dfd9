import type { KernelCommands } from "../../contract/kernel.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Job } from "../kernel/job.ts";
import { outboxFailed, probed, sessionEnded } from "./outcomes.ts";

/** Every tick drains the outbox. This says when an entry is due. */
const drainOutbox: Job = {
  name: "drain_outbox",
  run() {},
  due: { reads: ["outbox"], at: ({ registry }) => registry.outbox.nextDue() },
};

export const outbox: Domain<Omit<KernelCommands, "tick">> = {
  handlers: { session_ended: sessionEnded, probed, outbox_failed: outboxFailed },
  audit: {},
  jobs: [drainOutbox],
};
