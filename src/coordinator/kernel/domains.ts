import type { CommandName, Commands } from "../../contract/commands.ts";
import { access } from "../access/domain.ts";
import { alerts } from "../alerts/domain.ts";
import { admission } from "../admission/domain.ts";
import { bulkTasks } from "../bulk-tasks/domain.ts";
import { cells } from "../cells/domain.ts";
import { cellFigures } from "../cells/figures.ts";
import { dialing } from "../dialing/domain.ts";
import { discovery } from "../discovery/domain.ts";
import { events } from "../events/domain.ts";
import { metrics } from "../metrics/domain.ts";
import { moves } from "../moves/domain.ts";
import { outbox } from "../outbox/domain.ts";
import { peers } from "../peers/domain.ts";
import { storage } from "../storage/domain.ts";
import { tasks } from "../tasks/domain.ts";
import { tracing } from "../tracing/domain.ts";
import { webhooks } from "../webhooks/domain.ts";
import type { AuditEntriesOf } from "./audit.ts";
import type { Handler } from "./handler.ts";
import type { Job } from "./job.ts";

/** Every handler but that of `tick`, which runs the jobs. */
export const HANDLERS: { readonly [K in Exclude<CommandName, "tick">]: Handler<K> } = {
  ...admission.handlers,
  ...peers.handlers,
  ...tasks.handlers,
  ...bulkTasks.handlers,
  ...discovery.handlers,
  ...dialing.handlers,
  ...webhooks.handlers,
  ...access.handlers,
  ...events.handlers,
  ...outbox.handlers,
  ...storage.handlers,
  ...metrics.handlers,
  ...tracing.handlers,
  ...alerts.handlers,
  ...cells.handlers,
  ...moves.handlers,
  ...cellFigures.handlers,
};

export const AUDIT: AuditEntriesOf<Commands> = {
  ...admission.audit,
  ...peers.audit,
  ...tasks.audit,
  ...bulkTasks.audit,
  ...discovery.audit,
  ...dialing.audit,
  ...webhooks.audit,
  ...access.audit,
  ...events.audit,
  ...outbox.audit,
  ...storage.audit,
  ...metrics.audit,
  ...tracing.audit,
  ...alerts.audit,
  ...cells.audit,
  ...moves.audit,
  ...cellFigures.audit,
};

/** In the order in which `tick` runs them: attempts end before peers are evicted, dialing follows both, and alerts see what all have done. */
export const JOBS: readonly Job[] = [
  ...tasks.jobs,
  ...peers.jobs,
  ...admission.jobs,
  ...webhooks.jobs,
  ...access.jobs,
  ...discovery.jobs,
  ...dialing.jobs,
  ...cells.jobs,
  ...moves.jobs,
  ...outbox.jobs,
  ...storage.jobs,
  ...tracing.jobs,
  ...alerts.jobs,
];
