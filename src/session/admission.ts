import { toHex } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { Admitted } from "../contract/admission.ts";
import type { JoinRequest } from "../peers/join-request.ts";
import { newLiveness, type Liveness } from "../peers/liveness.ts";
import { PING_INTERVAL_GENERATION_2 } from "../protocol/constants.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Role } from "../protocol/messages.ts";
import { generationOf, type Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import type { Move } from "./effects.ts";
import { end } from "./end.ts";
import { message } from "./messages.ts";
import { command, stay } from "./moves.ts";
import { creditFor } from "./task-credit.ts";
import { fullAllowance } from "./rate-limit.ts";
import type { Active, Admitting, Claim, Origin } from "./state.ts";

/** What a muster.2 peer sends once, in its handshake. Over go-p2p 1.0, which keeps no secrets, a peer sends no join key. */
type JoinFields = Pick<JoinRequest, "joinKey" | "held">;

/** The peer has proved its key: asks the coordinator whether it may join. */
export function requestAdmission(
  keyed: Pick<Active, "claim" | "origin" | "channel" | "strikes">,
  elapsedMs: number,
  fields: JoinFields,
  { objectId, now }: SessionContext,
): Move {
  const rttMs = Math.max(0, elapsedMs);
  const request = joinRequest(keyed.claim, keyed.origin, keyed.channel, rttMs, fields);
  return stay(
    { ...keyed, state: "admitting", rttMs, askedAt: now },
    command({ name: "admit", input: { ...request, session: objectId } }),
  );
}

const joinRequest = (
  { peerId, publicKey, name, role, speaksMuster, capabilities, kinds, slots, prefetch }: Claim,
  { address, place, placeSource, network, colo, tcpRttMs, dial }: Origin,
  channel: Channel,
  rttMs: number,
  fields: JoinFields,
): JoinRequest => ({
  peerId,
  publicKey,
  name,
  claimedRole: role,
  protocol: channel.protocol,
  goP2pGeneration: generationOf(channel),
  speaksMuster,
  capabilities,
  kinds,
  slots,
  prefetch,
  address,
  place,
  placeSource,
  network,
  colo,
  tcpRttMs,
  rttMs,
  ...fields,
  ...(dial !== undefined && { dial }),
});

/** The coordinator has admitted or refused the peer. */
export function applyAdmission(
  session: Admitting,
  result: Result<Admitted, MusterError>,
  context: SessionContext,
): Move {
  const { claim, origin, channel, strikes } = session;
  if (!result.ok) return refuseAdmission(session, result.error, context);
  const {
    epoch,
    role,
    rtt,
    reconnect,
    leasedUntil = 0,
    held,
    suspect = false,
    discovery,
  } = result.value;
  const { now } = context;
  const active: Active = {
    state: "active",
    claim,
    origin,
    channel,
    strikes,
    epoch,
    since: now,
    liveness: { ...firstLiveness(session, now), leasedUntil, suspect },
    rtt,
    bucket: fullAllowance(now),
    credit: creditFor(held, now),
    reported: { seq: 0, at: now, smoothedMs: rtt.smoothedMs },
    taskRequests: [],
    relayedRequests: [],
    reconnect,
  };
  if (!claim.speaksMuster) return stay(active);
  const welcome = { ...welcomeOf(active, role, context), ...(discovery && { discovery }) };
  return stay(active, message(context, active, "welcome", welcome));
}

/**
 * Only a muster.2 peer may send heartbeats; the first liveness check finds out whether it does. Over go-p2p the ping that proved the key
 * is the last frame that the peer received, however long the admission took.
 */
function firstLiveness({ channel, rttMs, askedAt }: Admitting, now: Millis): Liveness {
  const generation = generationOf(channel);
  if (generation === null) return newLiveness(now, null);
  const liveness = newLiveness(now, false, (askedAt ?? now) - rttMs);
  return generation === 1 ? liveness : { ...liveness, pingInterval: PING_INTERVAL_GENERATION_2 };
}

/** muster.2 gives the reason in an encrypted message, too; both protocols give it in the close frame. */
const refuseAdmission = (session: Admitting, error: MusterError, context: SessionContext): Move =>
  session.channel.protocol === "muster/2"
    ? end(session, error, message(context, session, "rejection", rejectionOf(error)))
    : end(session, error);

const rejectionOf = ({ code, detail, retryAfter }: MusterError) => ({
  code,
  reason: detail,
  ...(retryAfter !== undefined && { retry_after: retryAfter }),
});

const welcomeOf = (
  { claim, epoch, reconnect, channel }: Active,
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
  ...("maxFrame" in channel && { max_frame: channel.maxFrame }),
});
