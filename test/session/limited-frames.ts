import * as fc from "fast-check";
import { expect } from "vitest";
import { fromUtf8, type Bytes } from "../../src/base/bytes.ts";
import { openNext, type Direction } from "../../src/crypto/transport.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import { MAX_FRAME_LEAST } from "../../src/protocol/max-frame.ts";
import type { SessionEffect, SessionEvent, Step } from "../../src/session/effects.ts";
import type { Active } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { at, joined, START } from "./driver.ts";

/** When the events of these tests happen. */
export const NOW = START + 100;
const KEY = seededRandom(21)(32);
const FIRST: Direction = { key: KEY, counter: 0 };

/** An active muster.2 session whose peer takes frames of this size. */
export const sessionOf = (maxFrame?: number): Active => ({
  ...joined(),
  channel: {
    protocol: "muster/2",
    ...(maxFrame !== undefined && { maxFrame }),
    send: FIRST,
    receive: { key: seededRandom(22)(32), counter: 0 },
  },
});

export const framesOf = (effects: readonly SessionEffect[]): readonly Bytes[] =>
  effects.flatMap((effect) =>
    effect.type === "send" && typeof effect.frame !== "string" ? [effect.frame] : [],
  );

/** The messages of the first frames of a session, as a peer that takes no larger frame reads them. */
export function read(effects: readonly SessionEffect[], maxFrame: number): readonly Envelope[] {
  let direction = FIRST;
  return framesOf(effects).map((frame) => {
    expect(frame.length).toBeLessThanOrEqual(maxFrame);
    const { plaintext, next } = present(openNext(direction, frame));
    direction = next;
    return JSON.parse(present(fromUtf8(plaintext))) as Envelope;
  });
}

/** The step of such a session by an event. */
export const after = (maxFrame: number | undefined, event: SessionEvent): Step =>
  step(sessionOf(maxFrame), event, at(NOW));

export const anyMaxFrame = fc.oneof(
  fc.constantFrom(MAX_FRAME_LEAST, 65_535, FRAME_BYTES_MAX),
  fc.integer({ min: MAX_FRAME_LEAST, max: 80_000 }),
);
/** Characters that take one to six bytes in JSON. */
export const anyText = (most: number) =>
  fc
    .tuple(fc.constantFrom("x", '"', "\u0001", "é", "€", "😀"), fc.nat(most))
    .map(([character, length]) => character.repeat(length).slice(0, length).toWellFormed());
/** The text of a JSON value. */
export const anyValue = fc.oneof(
  anyText(40_000).map((text) => JSON.stringify(text)),
  fc.constant("null"),
  fc.nat(260_000).map((length) => `"${"x".repeat(length)}"`),
);
