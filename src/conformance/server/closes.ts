import type { Millis } from "../../base/clock.ts";
import { expect } from "../failure.ts";
import { closedText, type FrameSocket } from "../session/frame-socket.ts";

/** The mesh closes the connection with one of these codes. */
export async function closes(
  socket: FrameSocket,
  codes: readonly number[],
  within: Millis = 5_000,
): Promise<void> {
  const closed = await socket.endsWithin(`the mesh closes with ${codes.join(" or ")}`, within);
  const isRight = closed.code !== null && codes.includes(closed.code);
  expect(isRight, `a close with ${codes.join(" or ")}`, closedText(closed));
}
