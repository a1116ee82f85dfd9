import { z } from "zod";
import type { Task } from "../../client/index.ts";

/*
 * The messages between the demo and the processes of its four peers. They travel over IPC, so that keys and tokens do not
 * appear in the output of `ps`.
 */

/** How a demo worker behaves. */
export const Behavior = z.enum(["fast", "slow", "flaky"]);
export type Behavior = z.infer<typeof Behavior>;

const Connection = z.object({ url: z.string(), meshKey: z.string(), privateKey: z.string() });

/** The first message to a worker. */
export const WorkerConfig = Connection.extend({ behavior: Behavior });
export type WorkerConfig = z.infer<typeof WorkerConfig>;

export const Job = z.object({
  index: z.int(),
  file: z.string(),
  /** The bytes of the file, in base64. */
  content: z.string(),
  /** How the controller submits the task. */
  via: z.enum(["http", "webhook"]),
});
export type Job = z.infer<typeof Job>;

/** The first message to the controller. */
export const ControllerConfig = Connection.extend({ token: z.string() });
export type ControllerConfig = z.infer<typeof ControllerConfig>;

/** Every later message to a worker or to the controller. */
export const Instruction = z.discriminatedUnion("type", [
  z.object({ type: z.literal("jobs"), jobs: z.array(Job) }),
  z.object({ type: z.literal("stop") }),
]);
export type Instruction = z.infer<typeof Instruction>;

/** What the process of a peer reports to the demo. */
export type PeerReport =
  | { readonly type: "joined" }
  /** An event that the demo should show, or a line that the process wrote to stderr. */
  | { readonly type: "warning"; readonly text: string }
  /** A worker ended an attempt. */
  | { readonly type: "attempt"; readonly ok: boolean }
  /** A task of the controller ended. */
  | { readonly type: "ended"; readonly index: number; readonly task: Task };

/** The result of a task. */
export const Digest = z.object({ sha256: z.string(), lines: z.int() });
export type Digest = z.infer<typeof Digest>;

/** The kind and the payload of the demo's tasks. */
export const DIGEST_KIND = "demo/digest";
export const DigestPayload = z.object({ file: z.string(), content: z.string() });

/** A capability that the workers announce and the controller does not. */
export const DIGEST_CAPABILITY = "digest";
