import { toBase64, type Bytes } from "../../src/base/bytes.ts";
import { toRfc3339, type Millis, type RandomBytes } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { ok, type Result } from "../../src/base/result.ts";
import type { Admitted } from "../../src/contract/admission.ts";
import type {
  Input,
  Output,
  SessionAnswer,
  SessionCommand,
  SessionCommandName,
} from "../../src/contract/commands.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { frameCipher, openFrame, sealFrame } from "../../src/crypto/session-cipher.ts";
import { writeGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import type { GoP2pGeneration } from "../../src/protocol/go-p2p-generation.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { newUuid } from "../../src/protocol/ids.ts";
import type { Role } from "../../src/protocol/messages.ts";
import type { SessionEffect, SessionEvent, Step } from "../../src/session/effects.ts";
import { dueAt } from "../../src/session/liveness.ts";
import type { SessionContext } from "../../src/session/context.ts";
import {
  newGoP2pSession,
  type Active,
  type Origin,
  type Proving,
  type Session,
} from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { sampleRtt } from "../../src/scoring/rtt.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { wire } from "../wire.ts";

/** When every session of these tests begins. */
export const START: Millis = Date.UTC(2026, 0, 2, 3, 4, 5);

export const MESH = { keys: newKeyPair(seededRandom(1)), name: "test mesh" };
export const PEER = newKeyPair(seededRandom(2));
export const SECRET = present(sharedSecret(PEER.privateKey, MESH.keys.publicKey));
const CIPHERS = { 1: frameCipher(SECRET, 1), 2: frameCipher(SECRET, 2) } as const;
export const ORIGIN: Origin = {
  address: "192.0.2.1",
  place: null,
  network: "AS64496",
  colo: "ZRH",
  tcpRttMs: null,
  meshId: MESH.keys.id,
};
export const GREETING: Session = newGoP2pSession(ORIGIN);

const drawn = seededRandom(3);

/** ID of the object that holds these sessions. */
export const OBJECT_ID = "0b1ec7".repeat(10);

/** The context of a step at this time. */
export const at = (now: Millis, randomBytes: RandomBytes = drawn): SessionContext => ({
  now,
  randomBytes,
  mesh: MESH,
  nextMeshKey: null,
  heartbeatAt: null,
  objectId: OBJECT_ID,
});

export interface Claimed {
  readonly role?: Role;
  /** False for a plain go-p2p node. */
  readonly speaksMuster?: boolean;
  /** The generation of go-p2p that the peer speaks; 1 by default. */
  readonly generation?: GoP2pGeneration;
}

export const identity = ({ role = "worker", speaksMuster = true }: Claimed = {}) => ({
  id: PEER.id,
  name: "test peer",
  publicKey: toBase64(PEER.publicKey),
  createdAt: "2026-01-02T03:04:05.678901234+02:00",
  role,
  ...(speaksMuster && { muster: { v: 1, capabilities: ["gpu"], slots: 2 } }),
});

/** The coordinator's answer to the admission of these sessions. */
export const GRANTED = {
  ok: true,
  value: {
    epoch: 3,
    role: "worker",
    rtt: sampleRtt(null, 20),
    reconnect: { slot: 5, per_second: 100 },
    held: 0,
  },
} as const;

const ids = seededRandom(4);
const nonces = seededRandom(5);

/** One message of the peer with timestamp `START`; `overrides` replace fields of the envelope. */
export const compose = (
  type: string,
  payload: Json,
  overrides: Partial<Envelope> = {},
): Envelope => ({
  id: newUuid(ids),
  type,
  from: PEER.id,
  to: MESH.keys.id,
  ts: toRfc3339(START),
  payload,
  ...overrides,
});

export const sealed = (envelope: Envelope, generation: GoP2pGeneration = 1): Bytes =>
  sealFrame(CIPHERS[generation], envelope, START, nonces);

/** One frame of the peer, as an event. */
export const said = (
  type: string,
  payload: Json,
  overrides?: Partial<Envelope>,
  generation?: GoP2pGeneration,
): SessionEvent => ({
  type: "frame",
  data: sealed(compose(type, payload, overrides), generation),
});

export const handshakeText = (claimed?: Claimed): string =>
  writeGoP2pEnvelope(
    compose("handshake", {
      identity: identity(claimed),
      challenge: toBase64(new Uint8Array(32).fill(7)),
      version: "1.0",
    }),
    claimed?.generation ?? 1,
  );

/** The encrypted messages among effects, decrypted. A frame of generation 2 begins with 1. */
export const messages = (effects: readonly SessionEffect[]): Envelope[] =>
  effects.flatMap((effect) =>
    effect.type === "send" && typeof effect.frame !== "string"
      ? [wire(must(openFrame(CIPHERS[effect.frame[0] === 1 ? 2 : 1], effect.frame)))]
      : [],
  );

/** The commands among effects. */
export const commands = (effects: readonly SessionEffect[]): SessionCommand[] =>
  effects.flatMap((effect) => (effect.type === "command" ? [effect.command] : []));

/** The commands of one name among effects. */
export const commandsNamed = <K extends SessionCommandName>(
  effects: readonly SessionEffect[],
  name: K,
): Extract<SessionCommand, { name: K }>[] =>
  commands(effects).filter(
    (command): command is Extract<SessionCommand, { name: K }> => command.name === name,
  );

/** The coordinator's answer to a command, as an event. */
export const answerTo = <K extends SessionCommandName>(
  name: K,
  input: Input<K>,
  result: Result<Output<K>, MusterError>,
  messageId: string | null = null,
): SessionEvent => ({
  type: "answered",
  answer: { name, input, result } as SessionAnswer,
  messageId,
});

/** The coordinator's answer to the admission that `proved` asks for. */
export const admissionAnswered = (result: Result<Admitted, MusterError>): SessionEvent =>
  answerTo("admit", present(commandsNamed(provedStep().effects, "admit")[0]).input, result);

/** The coordinator's answer to an observation: whether it counts the peer as suspect. */
export const observationAnswered = (isSuspect: boolean): SessionEvent =>
  answerTo(
    "observe",
    { peerId: PEER.id, epoch: 3, seq: 1, event: "answered", rtt: null },
    ok({ suspect: isSuspect }),
  );

export const closes = (effects: readonly SessionEffect[]) =>
  effects.flatMap((effect) => (effect.type === "close" ? [effect.code] : []));

/** A session after a valid handshake, and the pong to its ping, which proves the key. */
export function greeted(claimed?: Claimed): { readonly session: Proving; readonly pong: Envelope } {
  const { session, effects } = step(
    GREETING,
    { type: "frame", data: handshakeText(claimed) },
    at(START),
  );
  if (session.state !== "proving") throw new Error(`the handshake led to ${session.state}`);
  const ping = present(messages(effects)[0]);
  return {
    session,
    pong: compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id }),
  };
}

/** The step by which a peer, 20 ms of round trip away, proves its key. */
function provedStep(claimed?: Claimed): Step {
  const { session, pong } = greeted(claimed);
  return step(session, { type: "frame", data: sealed(pong, claimed?.generation) }, at(START + 20));
}

/** A session whose peer has proved its key and whose admission is not answered yet. */
export const proved = (claimed?: Claimed): Session => provedStep(claimed).session;

/** An active session, 20 ms of round trip away. */
export function joined(claimed?: Claimed): Active {
  return active(step(proved(claimed), admissionAnswered(GRANTED), at(START + 20)));
}

/** A session whose last ping was not answered in time. */
export function suspect(claimed?: Claimed): Active {
  const session = joined(claimed);
  const pinged = active(step(session, { type: "due" }, at(present(dueAt(session)))));
  return active(step(pinged, { type: "due" }, at(present(dueAt(pinged)))));
}

/** The session after a step, which must be active. */
export function active({ session }: Step): Active {
  if (session.state !== "active") throw new Error(`the session is ${session.state}`);
  return session;
}
