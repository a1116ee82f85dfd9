import type { Millis, Random } from "../../base/clock.ts";
import type { ExactJson } from "../../base/json-text/json-text.ts";
import type { ResultContent } from "../../protocol/result-content.ts";
import type { PeerEventListener } from "../peer/peer-events.ts";
import type { Handlers } from "./handler.ts";
import type { Download } from "./payload-outcome.ts";
import { type Upload } from "./upload-outcome.ts";

export interface TaskRunnerOptions {
  readonly handlers: Handlers;
  /** How many tasks run at once. */
  readonly slots: number;
  /** Whether one task more than `slots` is accepted, to start when a slot is free. */
  readonly prefetch: boolean;
  readonly now: () => Millis;
  readonly random: Random;
  /** The longest JSON of a result in a message; a longer one is uploaded. */
  readonly inlineBytesMax: number;
  /** Fetches the payload of an offer that does not hold it. */
  readonly download: (download: Download) => Promise<ExactJson>;
  /** Uploads a large result to the mesh, and returns what the session has to name of it. */
  readonly upload: (upload: Upload) => Promise<ResultContent>;
  readonly emit: PeerEventListener;
}
