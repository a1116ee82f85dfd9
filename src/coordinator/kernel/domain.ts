import type { AuditEntriesOf } from "./audit.ts";
import type { HandlersOf } from "./handler.ts";
import type { Job } from "./job.ts";

/** What a domain gives to the kernel. `Commands` is the domain's part of the contract. */
export interface Domain<Commands> {
  readonly handlers: HandlersOf<Commands>;
  readonly audit: AuditEntriesOf<Commands>;
  readonly jobs: readonly Job[];
}
