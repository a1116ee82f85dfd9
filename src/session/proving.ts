import { toHex, type Bytes } from "../base/bytes.ts";
import { openFrame } from "../crypto/session-cipher.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Role } from "../protocol/messages.ts";
import type { Result } from "../base/result.ts";
import type { Step } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import { end, errorReply, message, stay, type SessionContext } from "./outgoing.ts";
import type { Admitting, Proving } from "./state.ts";
import { strike } from "./strikes.ts";

/**
 * Waits for the pong that proves the key. Nothing else counts before it: whoever replays frames of an earlier session
 * has plenty of them, but none that answers this ping.
 */
export function prove(session: Proving, data: string | Bytes, context: SessionContext): Step {
  if (typeof data === "string")
    return strike(
      session,
      { code: "out_of_place", detail: "the handshake is over: frames are binary now" },
      context,
    );
  const opened = openFrame(session.key, data);
  if (!opened.ok) return strike(session, opened.error, context);
  const pong = opened.value;
  if (pong.type !== "pong") {
    const fault = {
      code: "out_of_place",
      detail: "answer the ping first: it proves the key",
    } as const;
    return stay(session, errorReply(context, session, fault, pong.id));
  }
  if (!answers(pong, session, context)) {
    return strike(
      session,
      { code: "proof_failed", detail: "this pong does not answer the mesh's ping" },
      context,
      pong.id,
    );
  }
  const { claim, origin, ping, key, strikes } = session;
  const rttMs = Math.max(0, context.now - ping.sentAt);
  return stay(
    { state: "admitting", claim, key, strikes, floor: Date.parse(pong.ts), rttMs },
    {
      type: "admit",
      request: {
        peerId: claim.peerId,
        publicKey: claim.publicKey,
        name: claim.name,
        claimedRole: claim.role,
        protocol: "go-p2p/1.0",
        speaksMuster: claim.speaksMuster,
        capabilities: claim.capabilities,
        slots: claim.slots,
        address: origin.address,
        place: origin.place,
        rttMs,
      },
    },
  );
}

const answers = (pong: Envelope, { claim, ping }: Proving, { mesh }: SessionContext): boolean =>
  pong.replyTo === ping.id && pong.from === claim.peerId && pong.to === mesh.keys.id;

/** The coordinator's word on the admission. */
export function admitted(
  session: Admitting,
  result: Result<{ readonly epoch: number; readonly role: Role }, MusterError>,
  context: SessionContext,
): Step {
  if (!result.ok) return end(session, result.error);
  const { claim, key, strikes, floor, rttMs } = session;
  const { epoch, role } = result.value;
  const { now, mesh } = context;
  const active = {
    state: "active",
    claim,
    key,
    strikes,
    epoch,
    since: now,
    window: newIdWindow(floor),
    ping: null,
    pingedAt: now,
    missed: 0,
    rttMs,
    told: { at: now, rttMs },
    requests: [],
  } as const;
  if (!claim.speaksMuster) return stay(active);
  const about = { id: mesh.keys.id, name: mesh.name, public_key: toHex(mesh.keys.publicKey) };
  return stay(
    active,
    message(context, active, "welcome", { peer_id: claim.peerId, epoch, role, mesh: about }),
  );
}
