import { ok, err } from "../../src/base/result.ts";
import * as fc from "fast-check";
import { concat, utf8, type Bytes } from "../../src/base/bytes.ts";
import { toRfc3339, type Millis } from "../../src/base/clock.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import type { SessionEvent } from "../../src/session/effects.ts";
import type { Session } from "../../src/session/state.ts";
import {
  compose,
  GRANTED,
  greeted,
  handshakeText,
  MESH,
  PEER,
  sealed,
  answerTo,
  admissionAnswered,
  observationAnswered,
  START,
} from "./driver.ts";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";

/** Multiplies the number of cases: `MUSTER_TEST_SCALE=50 npm test` runs 50 times as many cases. */
export const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

const TASK = "5f0c7a52-0a5e-4b0e-9a4b-6f2f4d1c9b11";
const ATTEMPT = { peerId: PEER.id, epoch: 3, taskId: TASK, fence: 1 };
const OTHER_ID = "0123456789abcdef0123456789abcdef";

/** Valid and almost valid frames, but for the pong that proves the key. */
const PLAUSIBLE: readonly (string | Bytes)[] = [
  handshakeText(),
  handshakeText({ speaksMuster: false }),
  "",
  "not JSON",
  new Uint8Array(),
  sealed(greeted().pong),
  ...[
    compose("ping", { sentAt: 1 }),
    compose("pong", { sentAt: 1, receivedAt: 1 }),
    compose("get_stats", null),
    compose("start_miner", {}),
    compose("stats", {}),
    compose("error", { code: 1, message: "" }),
    compose("disconnect", { reason: "", code: 1 }),
    compose("handshake_ack", {}),
    compose("task_accept", { task_id: TASK, fence: 1 }),
    compose("task_result", { task_id: TASK, fence: 1, ok: true, result: 1 }),
    compose("task_progress", { task_id: "none", fence: -1 }),
    compose("welcome", null),
    compose("advert", { peers: [] }),
    compose("advert", { peers: [{ public_key: "ab".repeat(32), role: "worker" }] }),
    compose("advert", { peers: [{ public_key: "ab", role: "worker" }] }),
    compose("sample", { pointers: [] }),
    compose("no_such_type", null),
    compose("ping", { sentAt: 2 }, { from: OTHER_ID }),
    compose("ping", { sentAt: 2 }, { to: OTHER_ID }),
    compose("ping", { sentAt: 2 }, { to: "" }),
    compose("ping", { sentAt: 2 }, { ts: "1999-12-31T23:59:59Z" }),
    compose("ping", { sentAt: 2 }, { id: "no UUID" }),
  ].map((envelope) => sealed(envelope)),
];

/** Changes that make a pong invalid. */
const FORGERIES: readonly ((pong: Envelope) => Partial<Envelope>)[] = [
  () => ({ replyTo: undefined }),
  ({ id }) => ({ replyTo: id }),
  () => ({ from: MESH.keys.id }),
  () => ({ from: OTHER_ID }),
  () => ({ to: PEER.id }),
  () => ({ to: "" }),
  () => ({ type: "ping" }),
];

type Change =
  | { readonly kind: "none" }
  | { readonly kind: "flip"; readonly at: number; readonly by: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "extend"; readonly by: Uint8Array };

const anyDamage: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant("flip" as const),
    at: fc.nat(4_000),
    by: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(4_000) }),
  fc.record({
    kind: fc.constant("extend" as const),
    by: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
);

/** One incoming frame: one of the plausible frames, and how it was damaged. */
export interface FrameMove {
  readonly which: number;
  readonly change: Change;
}
export const anyFrameMove: fc.Arbitrary<FrameMove> = fc.record({
  which: fc.nat(1_000),
  change: fc.oneof({ weight: 2, arbitrary: fc.constant({ kind: "none" as const }) }, anyDamage),
});

/** The frame of a move; `pong` itself occurs only damaged. */
export function frameOf({ which, change }: FrameMove, pong: Envelope): string | Bytes {
  const index = which % (PLAUSIBLE.length + 2 * FORGERIES.length);
  const frame =
    PLAUSIBLE[index] ?? almostValidPong(pong, index - PLAUSIBLE.length, change.kind === "none");
  if (typeof frame !== "string") return damage(frame, change);
  return new TextDecoder().decode(damage(utf8(frame), change));
}

/** A forged pong, or the valid one where it will be damaged. */
function almostValidPong(pong: Envelope, index: number, intact: boolean): Bytes {
  const forge = intact ? FORGERIES[index % FORGERIES.length] : FORGERIES[index];
  return sealed({ ...pong, ...forge?.(pong) });
}

function damage(frame: Bytes, change: Change): Bytes {
  if (change.kind === "none") return frame;
  if (change.kind === "extend") return concat(frame, change.by);
  if (change.kind === "cut") return frame.slice(0, change.at % Math.max(1, frame.length));
  const copy = frame.slice();
  const at = change.at % Math.max(1, frame.length);
  if (at < copy.length) copy[at] = (copy[at] as number) ^ change.by;
  return copy;
}

/** An event of a generated sequence. Parts that depend on the session are filled in by `eventOf`. */
export type GeneratedEvent =
  | { readonly type: "event"; readonly event: SessionEvent }
  | { readonly type: "move"; readonly move: FrameMove }
  /** The peer answers the mesh's ping or request correctly. */
  | { readonly type: "pong" | "reply" };

const anyOffer = fc.record({
  task_id: fc.constant(TASK),
  fence: fc.integer({ min: 1, max: 9 }),
  kind: fc.constantFrom("echo", "go-p2p/get_stats", "go-p2p/get_logs", "go-p2p/none"),
  payload: fc.jsonValue({ maxDepth: 2 }).map(exactJsonOf),
  attempt: fc.integer({ min: 1, max: 9 }),
  lease_seconds: fc.integer({ min: 1, max: 100 }),
});

const anyEvent: fc.Arbitrary<SessionEvent> = fc.oneof(
  fc.constantFrom<SessionEvent>(
    { type: "due" },
    { type: "due" },
    { type: "due" },
    { type: "handshake_timeout" },
    { type: "closed", reason: "the connection closed", silent: false },
    { type: "probe" },
    observationAnswered(true),
    observationAnswered(false),
    { type: "end", fault: { code: "revoked", detail: "this key was revoked" } },
    admissionAnswered(ok({ ...GRANTED.value, epoch: 8 })),
    admissionAnswered(ok({ ...GRANTED.value, epoch: 9, role: "dual" })),
    admissionAnswered(err({ code: "not_allowed", detail: "no" })),
    answerTo("accept_task", ATTEMPT, err({ code: "lease_lost", detail: "too late" }), TASK),
    answerTo("accept_task", ATTEMPT, ok({ leasedUntil: START + 60_000, held: 1 })),
    answerTo("gone", { ...ATTEMPT, reason: "", silent: false }, ok({})),
    answerTo("hear_advert", { ...ATTEMPT, peers: [] }, ok({ pointers: ["12".repeat(16)] }), TASK),
    { type: "cancel", taskId: TASK, fence: 1, reason: "cancelled by the caller" },
  ),
  anyOffer.map((offer): SessionEvent => ({ type: "offer", offer })),
  fc.uint8Array({ maxLength: 300 }).map((data): SessionEvent => ({ type: "frame", data })),
  fc.string({ maxLength: 300 }).map((data): SessionEvent => ({ type: "frame", data })),
);

export const anyGeneratedEvent: fc.Arbitrary<GeneratedEvent> = fc.oneof(
  { weight: 3, arbitrary: anyEvent.map((event) => ({ type: "event" as const, event })) },
  { weight: 3, arbitrary: anyFrameMove.map((move) => ({ type: "move" as const, move })) },
  { weight: 4, arbitrary: fc.constantFrom({ type: "pong" as const }, { type: "reply" as const }) },
);

/** The event for this session at this time. */
export function eventOf(generated: GeneratedEvent, session: Session, now: Millis): SessionEvent {
  if (generated.type === "event") return generated.event;
  const ping = "ping" in session ? session.ping : null;
  const pong = reply("pong", ping?.id, now);
  if (generated.type === "move") return { type: "frame", data: frameOf(generated.move, pong) };
  if (generated.type === "pong") return { type: "frame", data: sealed(pong) };
  const request = session.state === "active" ? session.taskRequests[0] : undefined;
  return { type: "frame", data: sealed(reply("stats", request?.id, now)) };
}

const reply = (type: string, replyTo: string | undefined, now: Millis): Envelope =>
  compose(
    type,
    { sentAt: 0, receivedAt: 0 },
    { ts: toRfc3339(now), ...(replyTo !== undefined && { replyTo }) },
  );
