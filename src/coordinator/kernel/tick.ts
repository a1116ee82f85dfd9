import { JOBS } from "./domains.ts";
import { done, type PlainHandler } from "./handler.ts";

/** Runs every job. Then tasks are assigned and the outbox and callbacks are delivered, in case an earlier run failed. */
export const tick: PlainHandler<"tick"> = (context) => {
  for (const job of JOBS) job.run(context);
  context.marks.workAvailable = true;
  context.marks.outboxDue = true;
  context.marks.callbacksDue = true;
  return done;
};
