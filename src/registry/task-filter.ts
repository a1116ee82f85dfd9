import type { Millis } from "../base/clock.ts";
import type { TaskState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";

export interface TaskFilter {
  readonly state?: TaskState | undefined;
  readonly kind?: string | undefined;
  readonly source?: string | undefined;
  readonly peerId?: PeerId | undefined;
  readonly createdAfter?: Millis | undefined;
  readonly createdBefore?: Millis | undefined;
  /** Only tasks of this owner. */
  readonly owner?: string | null | undefined;
  /** Only tasks of the owner whose tasks the caller may see; null for every owner's. */
  readonly visibleTo?: string | null;
  /** Only tasks older than the one with this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}
