import { z } from "zod";
import { ALERT_TYPES } from "../alert-types.ts";
import { PeerId } from "../ids.ts";
import { TaskKind } from "../labels.ts";
import { MissingCells, Time } from "./page.ts";

/** What is said of an alert, in the list and in events. */
export const ALERT_FIELDS = {
  alert: z.enum(ALERT_TYPES).meta({ description: "The type of the alert" }),
  key: z.string().meta({
    description: "The type and the subject: the same subject has the same key each time",
    example: "peer_down:9f86d081884c7d659a2feaa0c55ad015",
  }),
  peer: PeerId.nullable().meta({ description: "The peer that it is about; null for none" }),
  kind: TaskKind.nullable().meta({ description: "The kind that it is about; null for none" }),
  cell: z.int().optional().meta({ description: "The cell that it is about; absent for none" }),
  since: Time.meta({ description: "Since when something is wrong; RFC 3339, UTC" }),
  value: z.number().meta({
    description: "What was measured when it fired: seconds, peers, tasks, or a share of 1",
  }),
  threshold: z.number().meta({ description: "The setting that it is compared with" }),
  message: z.string().meta({ description: "What is wrong, for people" }),
};

/** An alert that fires. */
export const AlertView = z
  .object({ ...ALERT_FIELDS, fired_at: Time.meta({ description: "When it fired" }) })
  .meta({ id: "AlertView" });
export type AlertView = z.infer<typeof AlertView>;

export const AlertList = z
  .object({
    alerts: z.array(AlertView).meta({ description: "Those that have fired for longest first" }),
    missing_cells: MissingCells,
  })
  .meta({ id: "AlertList" });
export type AlertList = z.infer<typeof AlertList>;

/** What alert webhooks are sent. */
export interface AlertNotice {
  readonly type: "alert.firing" | "alert.resolved";
  /** When it fired or ended; RFC 3339. */
  readonly timestamp: string;
  readonly data: AlertView;
}
