/** How the gateway asks the coordinator for a stream of events: an upgrade to a WebSocket, with what it wants in a header. */
import { err, ok, type Result } from "../src/base/result.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { unspoken } from "./coordinator-errors.ts";
import type { StreamRequest } from "./event-streams.ts";

const HEADER = "x-muster-events";

interface Sent extends StreamRequest {
  readonly version: number;
}

/** The request for a stream. The text is escaped: names of owners may have any characters. */
export function streamRequest(asked: StreamRequest): Request {
  const sent: Sent = { version: RPC_VERSION, ...asked };
  return new Request("https://coordinator/events", {
    headers: { Upgrade: "websocket", [HEADER]: encodeURIComponent(JSON.stringify(sent)) },
  });
}

/** What the gateway asks for; an error if it has another version. */
export function readStreamRequest(request: Request): Result<StreamRequest, MusterError> {
  const { version, ...asked } = JSON.parse(
    decodeURIComponent(request.headers.get(HEADER) ?? '{"version":0}'),
  ) as Sent;
  return version === RPC_VERSION ? ok(asked) : err(unspoken(version));
}

/** The answer: the socket, or the error as JSON. */
export const streamResponse = (opened: Result<WebSocket, MusterError>): Response =>
  opened.ok
    ? new Response(null, { status: 101, webSocket: opened.value })
    : Response.json(opened.error, { status: REFUSED });
const REFUSED = 503;

/** The socket of an answer, or its error. */
export async function readStreamResponse(
  response: Response,
): Promise<Result<WebSocket, MusterError>> {
  const { webSocket } = response;
  return webSocket === null || webSocket === undefined
    ? err(await response.json<MusterError>())
    : ok(webSocket);
}
