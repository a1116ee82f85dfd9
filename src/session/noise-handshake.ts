import { fromUtf8, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { peerIdOf } from "../crypto/identity.ts";
import { readNoise, splitNoise, startNoise, writeNoise, type NoiseState } from "../crypto/noise.ts";
import type { X25519 } from "../crypto/x25519.ts";
import { KEY_BYTES, MUSTER_2_PROLOGUE } from "../protocol/constants.ts";
import { firstIssue } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { PeerId } from "../protocol/ids.ts";
import { EVERY_KIND, Hello } from "../protocol/messages.ts";
import type { Move, Step } from "./effects.ts";
import { frameSizeFault } from "./frame-size.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { stay } from "./moves.ts";
import { requestAdmission } from "./admission.ts";
import type { Noise, Origin } from "./state.ts";
import { sealMove } from "./seal-move.ts";

/** The session of a new muster.2 socket. The gateway has verified a proof that the caller holds the key of this peer ID. */
export const newNoiseSession = (origin: Origin, peerId: PeerId): Noise => ({
  state: "noise",
  origin,
  peerId,
  noise: startNoise(false, utf8(MUSTER_2_PROLOGUE)),
  sentAt: 0,
});

/**
 * One frame of a muster.2 handshake: message 1 is answered by message 2, and message 3 proves the peer's key and carries
 * its hello. Asynchronous because native X25519 is; all other steps of a session are synchronous.
 */
export async function receiveNoise(
  session: Noise,
  data: string | Bytes,
  curve: X25519,
  context: SessionContext,
): Promise<Step> {
  const move = await receiveHandshakeMessage(session, data, curve, context);
  return sealMove(session, move.ok ? move.value : end(session, move.error), context);
}

async function receiveHandshakeMessage(
  session: Noise,
  data: string | Bytes,
  curve: X25519,
  context: SessionContext,
): Promise<Result<Move, SessionFault>> {
  if (typeof data === "string")
    return fault("a muster.2 handshake consists of binary frames; this is a text frame");
  const tooLarge = frameSizeFault(session, data.length);
  if (tooLarge !== null) return err(tooLarge);
  const read = await readNoise(curve, session.noise, context.mesh.keys, data);
  if (!read.ok) return fault("the frame is not the next message of the handshake");
  const { state, payload } = read.value;
  if (state.messages === 1) return sendSecondMessage(session, state, curve, context);
  return finishHandshake(session, state, payload, context);
}

async function sendSecondMessage(
  session: Noise,
  state: NoiseState,
  curve: X25519,
  context: SessionContext,
): Promise<Result<Move, SessionFault>> {
  const { keys } = context.mesh;
  const written = await writeNoise(
    curve,
    state,
    keys,
    context.randomBytes(KEY_BYTES),
    new Uint8Array(),
  );
  if (!written.ok) return err({ code: "bad_key", detail: "the ephemeral key is of low order" });
  const { state: noise, message } = written.value;
  return ok(stay({ ...session, noise, sentAt: context.now }, { type: "send", frame: message }));
}

function finishHandshake(
  session: Noise,
  state: NoiseState,
  payload: Bytes,
  context: SessionContext,
): Result<Move, SessionFault> {
  const split = splitNoise(state);
  if (split === null || state.remoteStatic === null)
    return fault("the frame is not the last message of the handshake");
  if (peerIdOf(state.remoteStatic) !== session.peerId) {
    return err({
      code: "identity_mismatch",
      detail: "the proved key does not have the peer ID of the URL",
    });
  }
  const text = fromUtf8(payload);
  const hello = Hello.safeParse(text === null ? undefined : parseJson(text));
  if (!hello.success)
    return err({ code: "bad_message", detail: `hello: ${firstIssue(hello.error)}` });
  const { name, role, capabilities, slots, prefetch, held, join_key: joinKey } = hello.data;
  const { kinds = [EVERY_KIND], max_frame: maxFrame } = hello.data;
  const publicKey = toHex(state.remoteStatic);
  return ok(
    requestAdmission(
      {
        claim: {
          peerId: session.peerId,
          publicKey,
          name,
          role,
          speaksMuster: true,
          capabilities,
          kinds,
          slots,
          prefetch: prefetch === true,
        },
        origin: session.origin,
        channel: {
          protocol: "muster/2",
          ...(maxFrame !== undefined && { maxFrame }),
          send: { key: split.send, counter: 0 },
          receive: { key: split.receive, counter: 0 },
        },
        strikes: 0,
      },
      context.now - session.sentAt,
      { joinKey: joinKey ?? null, held },
      context,
    ),
  );
}

const fault = (detail: string): Result<never, SessionFault> =>
  err({ code: "proof_failed", detail });
