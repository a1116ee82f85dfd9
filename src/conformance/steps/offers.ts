import type { Millis } from "../../base/clock.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";

/** An attempt that the mesh has offered. */
export interface Offer {
  readonly taskId: string;
  readonly fence: number;
}

export interface OfferOptions {
  readonly taskId?: string;
  readonly fence?: number;
  readonly leaseSeconds?: number;
  /** Whether the offer has the secret for an upload. */
  readonly withUpload?: boolean;
  /** Further fields of the payload. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Offers a task of this kind. */
export function offer(
  session: MeshSession,
  kind: string,
  payload: unknown,
  {
    taskId = newUuid(session.mesh.random),
    fence = 1,
    leaseSeconds = 30,
    withUpload = false,
    more = {},
  }: OfferOptions = {},
): Offer {
  const { mesh, peerId } = session;
  const upload = withUpload && {
    upload: mesh.uploads.secretFor(peerId, taskId, fence, mesh.random),
  };
  session.send("task_offer", {
    task_id: taskId,
    fence,
    kind,
    payload,
    attempt: 1,
    lease_seconds: leaseSeconds,
    attempt_timeout_seconds: 600,
    ...upload,
    ...more,
  });
  return { taskId, fence };
}

/** Whether a message is about this attempt. */
export const isAbout = ({ payload }: ReadMessage, { taskId, fence }: Offer): boolean =>
  payload["task_id"] === taskId && payload["fence"] === fence;

export const isAboutTask = ({ payload }: ReadMessage, { taskId }: Offer): boolean =>
  payload["task_id"] === taskId;

const isQueued = ({ payload }: ReadMessage): boolean => payload["queued"] === true;

/** Waits for the accept of an attempt that is to begin. */
export const begun = (session: MeshSession, of: Offer, within?: Millis): Promise<ReadMessage> =>
  session.expect(
    `task_accept of ${nameOf(of)}`,
    (message) =>
      message.type === "task_accept" && !isQueued(message) && isAbout(message, of) && message,
    within,
  );

/** Waits for the result of an attempt, whatever it is. */
export const ended = (session: MeshSession, of: Offer, within?: Millis): Promise<ReadMessage> =>
  session.expect(
    `task_result of ${nameOf(of)}`,
    (message) => message.type === "task_result" && isAbout(message, of) && message,
    within,
  );

/** Waits until the attempt is accepted, refused or released; returns the message. */
export const decided = (session: MeshSession, of: Offer, within?: Millis): Promise<ReadMessage> =>
  session.expect(
    `task_accept, task_refuse or task_release of ${nameOf(of)}`,
    (message) => DECISIONS.has(message.type) && isAbout(message, of) && message,
    within,
  );

const DECISIONS: ReadonlySet<string> = new Set(["task_accept", "task_refuse", "task_release"]);

const nameOf = ({ taskId, fence }: Offer): string => `task ${taskId}, fence ${fence}`;

/** Offers an `echo` and waits for its result: the peer works. */
export async function works(session: MeshSession, value: unknown = { works: true }): Promise<void> {
  const of = offer(session, "echo", value);
  await session.expect(
    `task_result of an echo of ${JSON.stringify(value)}`,
    (message) =>
      message.type === "task_result" && isAbout(message, of) && message.payload["ok"] === true,
  );
}

/** Whether two values have the same JSON, whatever the order of their members. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((each, at) => equalJson(each, b[at]))
    );
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && equalJson(value, right.get(name)))
  );
}
