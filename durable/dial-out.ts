import { err, ok, type Result } from "../src/base/result.ts";
import { DIAL_CONNECT_TIMEOUT } from "../src/protocol/constants.ts";
import { outboundUrl, type OutboundRules } from "../src/protocol/outbound-url.ts";
import type { OutboundFetch } from "./outbound-fetch.ts";
import { log } from "./worker-log.ts";

/** An open socket, and the function that aborts its connection when a close is not answered. */
export interface DialedSocket {
  readonly socket: WebSocket;
  readonly abort: () => void;
}

/**
 * Opens a WebSocket to a peer that listens. The error is a text for the operator. The URL is checked at every dial, because
 * the configuration may have changed since the address was registered.
 */
export async function openSocket(
  text: string,
  rules: Pick<OutboundRules, "allowLoopback" | "allow">,
  fetch: OutboundFetch,
): Promise<Result<DialedSocket, string>> {
  const url = outboundUrl(text, { schemes: ["wss", "ws"], ...rules });
  if (!url.ok) return err(`not dialed: ${url.error.detail}`);
  const connection = new AbortController();
  const timer = setTimeout(() => connection.abort(), DIAL_CONNECT_TIMEOUT);
  try {
    const sent = await fetch(url.value.replace(/^ws/, "http"), {
      headers: { Upgrade: "websocket" },
      signal: connection.signal,
    });
    if (!sent.ok) return err(`not dialed: ${sent.error}`);
    const { status, webSocket, body } = sent.value;
    // Aborting the request ends its WebSocket, too.
    if (webSocket !== null) return ok({ socket: webSocket, abort: () => connection.abort() });
    await body?.cancel();
    return err(`the address does not accept a WebSocket: HTTP ${status}`);
  } catch (thrown) {
    if (connection.signal.aborted) return err(`no answer within ${DIAL_CONNECT_TIMEOUT / 1_000} s`);
    log.write("dial.unreachable", { address: url.value, error: String(thrown) });
    return err("unreachable: no connection could be made");
  } finally {
    clearTimeout(timer);
  }
}
