import { toRfc3339, type Millis } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { OutstandingPing } from "../peers/liveness.ts";
import type { Envelope } from "../protocol/envelope.ts";
import { toGoP2pError, type MusterError } from "../protocol/errors.ts";
import { wireOffer, wireShown } from "../protocol/exact-tasks.ts";
import { newUuid } from "../protocol/ids.ts";
import type { MessageType, PayloadInput, PayloadOf, TaskOffer } from "../protocol/messages.ts";
import { generationOf, type Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import type { Intent } from "./effects.ts";
import { referencedOffer, shorterShown } from "./shorter-messages.ts";
import type { Claim } from "./state.ts";

/** The envelope of a message from the mesh. */
export function compose<T extends MessageType>(
  { mesh, now, randomBytes }: SessionContext,
  to: string,
  type: T,
  payload: PayloadInput<T>,
  replyTo?: string,
): Envelope {
  return {
    id: newUuid(randomBytes),
    type,
    from: mesh.keys.id,
    to,
    ts: toRfc3339(now),
    payload: payload as Json,
    ...(replyTo !== undefined && { replyTo }),
  };
}

interface Recipient {
  readonly claim: Pick<Claim, "peerId">;
  readonly channel: Channel;
}

/** Sends one message to the peer. */
export const message = <T extends MessageType>(
  context: SessionContext,
  to: Pick<Recipient, "claim">,
  type: T,
  payload: PayloadInput<T>,
  replyTo?: string,
): Extract<Intent, { type: "message" }> => ({
  type: "message",
  envelope: compose(context, to.claim.peerId, type, payload, replyTo),
});

/** A ping, and what the session remembers of it. `dueAt`: when the pong counts as missed; null when it need not come. */
export function ping(
  context: SessionContext,
  to: Recipient,
  dueAt: Millis | null,
  graceGranted = false,
): { readonly ping: OutstandingPing; readonly intent: Intent } {
  const envelope = compose(context, to.claim.peerId, "ping", { sentAt: context.now });
  return {
    ping: { id: envelope.id, sentAt: context.now, dueAt, graceGranted, floor: floorOf(to.channel) },
    intent: { type: "message", envelope },
  };
}

const floorOf = (channel: Channel): Millis | undefined =>
  channel.protocol === "go-p2p/1.0" ? channel.window.floor : undefined;

/** Sends the peer a task, or as much of it as fits a frame of its session. */
export const showTask = (
  context: SessionContext,
  to: Pick<Recipient, "claim">,
  shown: PayloadOf<"task_shown">,
  replyTo?: string,
): Intent => ({
  ...message(context, to, "task_shown", wireShown(shown), replyTo),
  shorten: (max) => shorterShown(shown, max) as Json,
});

/** Offers the peer a task; the payload goes by reference if it does not fit a frame of its session. */
export const offerTask = (
  context: SessionContext,
  to: Pick<Recipient, "claim">,
  offer: TaskOffer,
): Intent => ({
  ...message(context, to, "task_offer", wireOffer(offer)),
  shorten: () => referencedOffer(offer) as Json,
});

/** Replies to one message with an error. */
export const errorReply = (
  context: SessionContext,
  to: Recipient,
  error: MusterError,
  replyTo: string,
): Intent =>
  message(context, to, "error", toGoP2pError(error, generationOf(to.channel) ?? 1), replyTo);
