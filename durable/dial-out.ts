import { err, ok, type Result } from "../src/base/result.ts";
import { DIAL_CONNECT_TIMEOUT } from "../src/protocol/constants.ts";
import { outboundUrl } from "../src/protocol/outbound-url.ts";

/** A socket that is open, and how to cut it off where closing it is not enough. */
export interface DialedSocket {
  readonly socket: WebSocket;
  readonly cutOff: () => void;
}

/**
 * Opens a WebSocket to where a peer listens; what went wrong, for the operator, when it does not open. The URL is judged at
 * every dial: what may be called is a matter of the configuration of today, not of the day when it was registered.
 */
export async function openSocket(
  text: string,
  allowLoopback: boolean,
): Promise<Result<DialedSocket, string>> {
  const url = outboundUrl(text, { schemes: ["wss", "ws"], allowLoopback });
  if (!url.ok) return err(`not called: ${url.error.detail}`);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), DIAL_CONNECT_TIMEOUT);
  try {
    const response = await fetch(url.value.replace(/^ws/, "http"), {
      headers: { Upgrade: "websocket" },
      // A redirect could lead to where the URL itself may not.
      redirect: "manual",
      signal: giveUp.signal,
    });
    const { status, webSocket } = response;
    // The signal ends the WebSocket that came of the request, too.
    if (webSocket !== null) return ok({ socket: webSocket, cutOff: () => giveUp.abort() });
    await response.body?.cancel();
    return err(`no WebSocket there: HTTP ${status}`);
  } catch (thrown) {
    if (giveUp.signal.aborted) return err(`no answer within ${DIAL_CONNECT_TIMEOUT / 1_000} s`);
    console.warn("address unreachable", { error: String(thrown) });
    return err("unreachable: no connection could be made");
  } finally {
    clearTimeout(timer);
  }
}
