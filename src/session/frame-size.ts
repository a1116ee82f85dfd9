import { FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX, HELLO_BYTES_MAX } from "../protocol/constants.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Session } from "./state.ts";

/** The largest frame that a session takes in its state: what has proved nothing may not make the mesh hold much. */
function frameBytesMax({ state }: Session): number {
  if (state === "noise") return HELLO_BYTES_MAX;
  return state === "greeting" || state === "dialing" ? HANDSHAKE_BYTES_MAX : FRAME_BYTES_MAX;
}

/** What is wrong with a frame of this size; null when it may come in. */
export function frameSizeFault(session: Session, bytes: number): SessionFault | null {
  const max = frameBytesMax(session);
  return bytes <= max
    ? null
    : { code: "frame_too_large", detail: `this frame may hold ${max} bytes at most` };
}
