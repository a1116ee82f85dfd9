import type { IncomingMessage } from "node:http";

/** More than the largest body of the API. */
const DRAINED_BYTES_MAX = 32 * 1_024 * 1_024;
const DRAIN_TIME_MAX_MS = 30_000;

/**
 * Reads and drops the rest of a body whose request is answered, so that the client gets the answer: closing a connection with unread
 * bytes resets it. A body that is too large or takes too long is cut off.
 */
export function drainBody(request: IncomingMessage): void {
  const { socket } = request;
  if (socket.destroyed || request.readableEnded) return;
  let bytes = 0;
  const cutOff = () => socket.destroy();
  const timer = setTimeout(cutOff, DRAIN_TIME_MAX_MS);
  const stop = () => {
    clearTimeout(timer);
    socket.off("close", stop);
  };
  socket.once("close", stop);
  request.once("end", stop).on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DRAINED_BYTES_MAX) cutOff();
  });
  request.resume();
}
