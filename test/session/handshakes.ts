import type { Json } from "../../src/base/json.ts";
import type { SessionEffect, SessionEvent, Step } from "../../src/session/effects.ts";
import type { Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { at, handshakeText, START } from "./driver.ts";

/** The generations of go-p2p. */
export const GENERATIONS = [1, 2] as const;

/** A step at a time, at `START` by default. */
export const run = (session: Session, event: SessionEvent, now = START): Step =>
  step(session, event, at(now));

/** The cleartext messages among effects, as their texts parse. */
export const cleartexts = (effects: readonly SessionEffect[]): { [name: string]: Json }[] =>
  effects.flatMap((effect) =>
    effect.type === "send" && typeof effect.frame === "string"
      ? [JSON.parse(effect.frame) as { [name: string]: Json }]
      : [],
  );

/** A handshake frame with some fields of the message and of its payload replaced; undefined removes a field. */
export function handshake(
  generation: 1 | 2,
  changes: { readonly [name: string]: Json | undefined } = {},
  payload: { readonly [name: string]: Json | undefined } = {},
): SessionEvent {
  const whole = JSON.parse(handshakeText({ generation })) as { payload: object };
  const data = JSON.stringify({ ...whole, ...changes, payload: { ...whole.payload, ...payload } });
  return { type: "frame", data };
}
