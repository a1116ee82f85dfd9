import { FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX, HELLO_BYTES_MAX } from "../protocol/constants.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Session } from "./state.ts";

/** The largest frame that a session accepts in its state: a peer without a proof must not fill the mesh's memory. */
function frameBytesMax({ state }: Session): number {
  if (state === "noise") return HELLO_BYTES_MAX;
  return state === "greeting" || state === "dialing" ? HANDSHAKE_BYTES_MAX : FRAME_BYTES_MAX;
}

/** Why a frame of this size is refused; null when it is accepted. */
export function frameSizeFault(session: Session, bytes: number): SessionFault | null {
  const max = frameBytesMax(session);
  return bytes <= max
    ? null
    : { code: "frame_too_large", detail: `the frame has ${bytes} bytes; ${max} are allowed here` };
}
