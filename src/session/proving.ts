import { toHex, type Bytes } from "../base/bytes.ts";
import type { Result } from "../base/result.ts";
import type { Admitted } from "../contract/admission.ts";
import { openFrame } from "../crypto/session-cipher.ts";
import type { JoinRequest } from "../peers/join-request.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Role } from "../protocol/messages.ts";
import { newLiveness } from "../peers/liveness.ts";
import { fullBucket } from "./rate-limit.ts";
import type { Channel } from "./channel.ts";
import type { Move } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import type { SessionContext } from "./context.ts";
import { command, end, errorReply, message, stay } from "./outgoing.ts";
import type { Active, Admitting, Claim, Origin, Proving } from "./state.ts";
import { strike, TEXT_FRAME } from "./strikes.ts";

/**
 * Waits for the pong that proves the key over go-p2p 1.0. Nothing else counts before it: whoever replays frames of an
 * earlier session has plenty of them, but none that answers this ping.
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
  const opened = openFrame(channel.key, data);
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
    const fault = {
      code: "proof_failed",
      detail: "this pong does not answer the mesh's ping",
    } as const;
    return strike(session, fault, context, pong.id);
  }
  const proved: Channel = { ...channel, window: newIdWindow(Date.parse(pong.ts)) };
  const keyed = { claim, origin, channel: proved, strikes };
  return requestAdmission(keyed, context.now - ping.sentAt, { joinKey: null }, context);
}

const answers = (pong: Envelope, { claim, ping }: Proving, { mesh }: SessionContext): boolean =>
  pong.replyTo === ping.id && pong.from === claim.peerId && pong.to === mesh.keys.id;

/** What a peer shows at its coming alone; over go-p2p 1.0 nothing, for that keeps no secrets. */
type Shown = Pick<JoinRequest, "joinKey" | "held">;

/** The key is proved; whether its peer may come in is the coordinator's to say. */
export function requestAdmission(
  keyed: Pick<Active, "claim" | "origin" | "channel" | "strikes">,
  elapsedMs: number,
  shown: Shown,
  { objectId }: SessionContext,
): Move {
  const rttMs = Math.max(0, elapsedMs);
  const joined = joinRequest(keyed.claim, keyed.origin, keyed.channel, rttMs, shown);
  return stay(
    { ...keyed, state: "admitting", rttMs },
    command({ name: "admit", input: { ...joined, session: objectId } }),
  );
}

const joinRequest = (
  { peerId, publicKey, name, role, speaksMuster, capabilities, slots, prefetch }: Claim,
  { address, place, network, colo, tcpRttMs, dial }: Origin,
  { protocol }: Channel,
  rttMs: number,
  shown: Shown,
): JoinRequest => ({
  peerId,
  publicKey,
  name,
  claimedRole: role,
  protocol,
  speaksMuster,
  capabilities,
  slots,
  prefetch,
  address,
  place,
  network,
  colo,
  tcpRttMs,
  rttMs,
  ...shown,
  ...(dial !== undefined && { dial }),
});

/** The coordinator's word on the admission. */
export function applyAdmission(
  session: Admitting,
  result: Result<Admitted, MusterError>,
  context: SessionContext,
): Move {
  const { claim, origin, channel, strikes } = session;
  if (!result.ok) return refused(session, result.error, context);
  const { epoch, role, rtt, reconnect, leasedUntil = 0, discovery } = result.value;
  const { now } = context;
  const active: Active = {
    state: "active",
    claim,
    origin,
    channel,
    strikes,
    epoch,
    since: now,
    // Only a muster.2 peer may beat; whether it does, the first look shows.
    liveness: { ...newLiveness(now, channel.protocol === "muster/2" ? null : false), leasedUntil },
    rtt,
    allowance: fullBucket(now),
    told: { seq: 0, at: now, smoothedMs: rtt.smoothedMs },
    requests: [],
    calls: [],
    reconnect,
    advertAt: null,
  };
  return claim.speaksMuster
    ? stay(
        active,
        message(context, active, "welcome", {
          ...welcome(active, role, context),
          ...(discovery !== undefined && { discovery }),
        }),
      )
    : stay(active);
}

/** muster.2 says why in a message that nobody else can read; both protocols say it in the close. */
const refused = (session: Admitting, error: MusterError, context: SessionContext): Move =>
  session.channel.protocol === "muster/2"
    ? end(
        session,
        error,
        message(context, session, "rejection", { code: error.code, reason: error.detail }),
      )
    : end(session, error);

const welcome = (
  { claim, epoch, reconnect }: Active,
  role: Role,
  { mesh, nextMeshKey }: SessionContext,
) => ({
  peer_id: claim.peerId,
  epoch,
  role,
  mesh: {
    id: mesh.keys.id,
    name: mesh.name,
    public_key: toHex(mesh.keys.publicKey),
    ...(nextMeshKey !== null && { next_public_key: toHex(nextMeshKey) }),
  },
  reconnect,
});
