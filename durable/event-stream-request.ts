/** How the gateway asks the coordinator for a stream of events: an upgrade to a WebSocket, with what it wants in a header. */
import { err, ok, type Result } from "../src/base/result.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { unspoken } from "./coordinator-errors.ts";
import { TopologyChanged } from "../src/routing/network.ts";
import type { EventStreams, StreamRequest } from "./event-streams.ts";
import type { OwnCell } from "./own-cell.ts";
import type { CellAnswer, CellTarget, Moved } from "./rpc.ts";

const HEADER = "x-muster-events";

interface SentStreamRequest extends StreamRequest {
  readonly version: number;
  readonly to: CellTarget;
}

/** The request for a stream. The text is escaped: names of owners may have any characters. */
export function streamRequest(asked: StreamRequest, to: CellTarget): Request {
  const sent: SentStreamRequest = { version: RPC_VERSION, to, ...asked };
  return new Request("https://coordinator/events", {
    headers: { Upgrade: "websocket", [HEADER]: encodeURIComponent(JSON.stringify(sent)) },
  });
}

/** Answers a request for a stream, once the cell knows the topology that the gateway knows. */
export async function answerStreamRequest(
  request: Request,
  cell: Pick<OwnCell, "enter">,
  streams: Pick<EventStreams, "open">,
): Promise<Response> {
  const asked = readStreamRequest(request);
  if (!asked.ok) return streamResponse(asked);
  const entered = await cell.enter(asked.value.to);
  return entered === null
    ? streamResponse(streams.open(asked.value, Date.now()))
    : notLetIn(entered);
}

/** What the gateway asks for; an error if it has another version. */
function readStreamRequest(request: Request): Result<SentStreamRequest, MusterError> {
  const sent = JSON.parse(
    decodeURIComponent(request.headers.get(HEADER) ?? '{"version":0}'),
  ) as SentStreamRequest;
  return sent.version === RPC_VERSION ? ok(sent) : err(unspoken(sent.version));
}

/** The answer: the socket, or the error as JSON. */
export const streamResponse = (opened: Result<WebSocket, MusterError>): Response =>
  opened.ok
    ? new Response(null, { status: 101, webSocket: opened.value })
    : Response.json(opened.error, { status: REFUSED });
const REFUSED = 503;

/** The answer of a cell that does not let the call in: why, or the topology that it knows. */
function notLetIn([first]: CellAnswer): Response {
  const body = first !== undefined && "ok" in first && !first.ok ? first.error : first;
  return Response.json(body, { status: REFUSED });
}

/** The socket of an answer, or its error. Throws `TopologyChanged` if the caller knows another topology. */
export async function readStreamResponse(
  response: Response,
): Promise<Result<WebSocket, MusterError>> {
  const { webSocket } = response;
  if (webSocket !== null && webSocket !== undefined) return ok(webSocket);
  const refused = await response.json<MusterError | Moved>();
  if ("moved" in refused) throw new TopologyChanged(refused.moved);
  return err(refused);
}
