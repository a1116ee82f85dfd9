import type { Bytes } from "../base/bytes.ts";
import { openFrame } from "../crypto/session-cipher.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { requestAdmission } from "./admission.ts";
import { cipherOf, type Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import type { Move } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import { errorReply } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Proving } from "./state.ts";
import { strike, TEXT_FRAME } from "./strikes.ts";

/**
 * One frame of a go-p2p peer that has to prove its key. Only the pong to the mesh's ping counts: an attacker that replays
 * frames of an earlier session has many of them, but none that answers this ping.
 */
export function receiveProof(
  session: Proving,
  data: string | Bytes,
  context: SessionContext,
): Move {
  const { channel, claim, origin, ping, strikes } = session;
  if (typeof data === "string" || channel.protocol !== "go-p2p/1.0") {
    return strike(session, TEXT_FRAME, context);
  }
  const opened = openFrame(cipherOf(channel), data);
  if (!opened.ok) return strike(session, opened.error, context);
  const pong = opened.value;
  if (pong.type === "content_event") return stay(session);
  if (pong.type !== "pong") return stay(session, errorReply(context, session, TOO_EARLY, pong.id));
  if (!answersPing(pong, session, context)) return strike(session, WRONG_PONG, context, pong.id);
  const proved: Channel = { ...channel, window: newIdWindow(Date.parse(pong.ts)) };
  const keyed = { claim, origin, channel: proved, strikes };
  return requestAdmission(keyed, context.now - ping.sentAt, { joinKey: null }, context);
}

const TOO_EARLY: SessionFault = {
  code: "out_of_place",
  detail: "answer the ping first: its pong proves the key",
};

const WRONG_PONG: SessionFault = {
  code: "proof_failed",
  detail: "this pong does not answer the mesh's ping",
};

const answersPing = (pong: Envelope, { claim, ping }: Proving, { mesh }: SessionContext): boolean =>
  pong.replyTo === ping.id && pong.from === claim.peerId && pong.to === mesh.keys.id;
