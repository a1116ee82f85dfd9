import { z } from "zod";
import type { Task } from "../../client/index.ts";

/** What the demo and its four peers say to each other over IPC. Keys and tokens go this way, unseen by `ps`. */

/** How a demo worker behaves. */
export const Temper = z.enum(["fast", "slow", "flaky"]);
export type Temper = z.infer<typeof Temper>;

const Joining = z.object({ url: z.string(), meshKey: z.string(), privateKey: z.string() });

/** The first message to a worker. */
export const WorkerOrders = Joining.extend({ temper: Temper });
export type WorkerOrders = z.infer<typeof WorkerOrders>;

export const Job = z.object({
  index: z.int(),
  file: z.string(),
  /** The file's bytes, in base64. */
  content: z.string(),
  via: z.enum(["http", "webhook"]),
});
export type Job = z.infer<typeof Job>;

/** The first message to the controller. */
export const ControllerOrders = Joining.extend({ token: z.string() });
export type ControllerOrders = z.infer<typeof ControllerOrders>;

/** Later messages to any of them. */
export const Order = z.discriminatedUnion("type", [
  z.object({ type: z.literal("jobs"), jobs: z.array(Job) }),
  z.object({ type: z.literal("stop") }),
]);
export type Order = z.infer<typeof Order>;

/** What a peer's process tells the demo. */
export type Report =
  | { readonly type: "joined" }
  | { readonly type: "trouble"; readonly text: string }
  /** A worker ended an attempt. */
  | { readonly type: "attempt"; readonly ok: boolean }
  /** The controller's task has ended. */
  | { readonly type: "ended"; readonly index: number; readonly task: Task };

/** What a worker answers for a file. */
export const Digest = z.object({ sha256: z.string(), lines: z.int() });
export type Digest = z.infer<typeof Digest>;

/** The kind of the demo's tasks, and its payload. */
export const DIGEST_KIND = "demo/digest";
export const DigestPayload = z.object({ file: z.string(), content: z.string() });

/** A label that the demo's workers have and its controller lacks. */
export const DIGEST_CAPABILITY = "digest";
