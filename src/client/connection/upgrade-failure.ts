import { HOUR, SECOND, type Millis } from "../../base/clock.ts";
import { redactUrl } from "../../base/redact.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { Protocol } from "../../protocol/http.ts";
import { MeshClaim } from "../../protocol/shapes/messages.ts";
import { ProblemView } from "../../protocol/shapes/problem.ts";
import { MusterApiError, PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { boundedJson } from "../http/bounded-body.ts";
import { CLOCK_CORRECTION_MAX, PROBLEM_BYTES_MAX } from "../timings.ts";
import { apiBase } from "../urls.ts";
import { ABNORMAL_CLOSURE } from "./close-codes.ts";
import { failureOfAnswer, failureOfError, type ConnectFailure } from "./connect-failure.ts";
import type { ConnectionEnd } from "./connection.ts";

/** After this time without an answer the reason counts as unknown. */
const PROBLEM_TIMEOUT: Millis = 5 * SECOND;

/**
 * Finds out why a muster.2 dial was refused at the WebSocket upgrade: a plain GET of the same URL returns the gateway's
 * problem document. The document is not authenticated, so it may only make the peer stop or try again.
 */
export async function explainRefusedUpgrade(
  meshUrl: string,
  connectUrl: string,
  end: ConnectionEnd,
  meshKey: string,
  { fetch, now }: Pick<Platform, "fetch" | "now">,
): Promise<ConnectionEnd> {
  const { href } = new URL(connectUrl.replace(/^ws/, "http"));
  const answer = await getJson(href, fetch);
  if (!answer.ok) return explained(end, answer.error);
  const problem = readShape(ProblemView, answer.value.body);
  if (!problem.ok) return explained(end, failureOfAnswer(answer.value));
  const { code, detail } = problem.value;
  switch (code) {
    case "clock_skew":
      return correctedEnd(meshUrl, meshKey, { fetch, now });
    case "mesh_key_unknown": {
      const message = `the mesh does not have the key ${meshKey}: ${detail}`;
      return { kind: "refused", error: new PeerError("mesh_key_mismatch", message) };
    }
    case "upgrade_required": // the proof in the URL is valid: the socket failed for another reason
      return explained(end, {
        code: "websocket_failed",
        message: `the mesh at ${apiBase(meshUrl)} answers, but the WebSocket could not be opened: a proxy before it may not pass WebSockets on`,
      });
    default:
      return {
        kind: "dropped",
        code: ABNORMAL_CLOSURE,
        reason: `${code}: ${detail}`,
        failure: failureOfAnswer(answer.value),
      };
  }
}

/** The end of a connection with its reason. One that the socket has told itself counts. */
function explained(end: ConnectionEnd, failure: ConnectFailure): ConnectionEnd {
  if (end.kind !== "dropped") return end;
  return { ...end, reason: end.reason === "" ? failure.message : end.reason, failure };
}

/**
 * How the dial ends whose time was refused. Only the time that the mesh proves with its key corrects this machine's clock, and by
 * `CLOCK_CORRECTION_MAX` at most: a server without that key corrects nothing.
 */
async function correctedEnd(
  meshUrl: string,
  meshKey: string,
  { fetch, now }: Pick<Platform, "fetch" | "now">,
): Promise<ConnectionEnd> {
  // Few clocks are wrong: the proof is loaded for those.
  const mesh = await import("./proved-mesh.ts")
    .then(({ provedMesh }) => provedMesh(meshUrl, fetch, meshKey, PROBLEM_TIMEOUT))
    .catch(codeOf);
  if (typeof mesh === "string")
    return skewed(`the server refused this machine's time and proved none of its own (${mesh})`);
  const clockOffset = mesh.time - now();
  if (Math.abs(clockOffset) <= CLOCK_CORRECTION_MAX)
    return { kind: "skewed", clockOffset, reason: "the mesh's clock differs from this machine's" };
  const hours = Math.round(Math.abs(clockOffset) / HOUR);
  const direction = clockOffset > 0 ? "behind" : "ahead of";
  return skewed(`this machine's clock is ${hours} h ${direction} the mesh's; set it`);
}

const codeOf = (error: unknown): string =>
  error instanceof MusterApiError ? error.code : "unreachable";

const skewed = (reason: string): ConnectionEnd => ({
  kind: "dropped",
  code: ABNORMAL_CLOSURE,
  reason: `clock_skew: ${reason}`,
});

/** The public key that the mesh at this URL claims, in hex, or why there is none. */
export async function fetchMeshKey(
  url: string,
  protocol: Protocol,
  fetch: Platform["fetch"],
): Promise<Result<string, ConnectFailure>> {
  const base = apiBase(url);
  const answer = await getJson(`${base}v1/mesh`, fetch);
  if (!answer.ok) return answer;
  const mesh = readShape(MeshClaim, answer.value.body);
  if (!answer.value.response.ok || !mesh.ok)
    return err({ ...failureOfAnswer({ ...answer.value, url: base }) });
  const { public_key: key, protocols = [protocol] } = mesh.value;
  if (protocols.includes(protocol)) return ok(key);
  const spoken = protocols.join(", ").slice(0, 200);
  const message = `the mesh at ${redactUrl(base)} does not speak ${protocol}; it speaks ${spoken}`;
  return err({ code: "version_unsupported", message });
}

interface Answer {
  /** The URL that was asked, without its query. */
  readonly url: string;
  readonly response: Response;
  /** The body as JSON; undefined if it is not. */
  readonly body: unknown;
}

async function getJson(
  href: string,
  fetch: Platform["fetch"],
): Promise<Result<Answer, ConnectFailure>> {
  const url = redactUrl(href).replace(/v1\/\w+$/, "");
  try {
    const response = await fetch(href, {
      redirect: "manual",
      signal: AbortSignal.timeout(PROBLEM_TIMEOUT),
    });
    // A body without an end, or that is cut, is none of a mesh.
    const body = await boundedJson(response, PROBLEM_BYTES_MAX).catch((error: unknown) => {
      if (error instanceof MusterApiError) return undefined;
      throw error;
    });
    return ok({ url, response, body });
  } catch (error) {
    return err(failureOfError(url, error, PROBLEM_TIMEOUT));
  }
}
