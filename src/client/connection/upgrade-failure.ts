import { HOUR, SECOND, type Millis } from "../../base/clock.ts";
import { MeshView, ProblemView } from "../../protocol/http.ts";
import { MusterApiError, PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { boundedJson } from "../http/bounded-body.ts";
import { CLOCK_CORRECTION_MAX, PROBLEM_BYTES_MAX } from "../timings.ts";
import { apiBase } from "../urls.ts";
import { ABNORMAL_CLOSURE } from "./close-codes.ts";
import type { ConnectionEnd } from "./connection.ts";
import { provedMesh } from "./proved-mesh.ts";

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
  const problem = ProblemView.safeParse(await getJson(href, fetch));
  if (!problem.success) return end;
  const { code, detail } = problem.data;
  switch (code) {
    case "clock_skew":
      return correctedEnd(meshUrl, meshKey, { fetch, now });
    case "mesh_key_unknown": {
      const message = `the mesh does not have the key ${meshKey}: ${detail}`;
      return { kind: "refused", error: new PeerError("mesh_key_mismatch", message) };
    }
    case "upgrade_required":
      return end; // the proof in the URL is valid: the socket failed for another reason
    default:
      return { kind: "dropped", code: ABNORMAL_CLOSURE, reason: `${code}: ${detail}` };
  }
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
  const mesh = await provedMesh(meshUrl, fetch, meshKey, PROBLEM_TIMEOUT).catch(codeOf);
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

/** The public key that the mesh at this URL claims, in hex; null if it does not answer. */
export async function fetchMeshKey(url: string, fetch: Platform["fetch"]): Promise<string | null> {
  const mesh = MeshView.pick({ public_key: true }).safeParse(
    await getJson(`${apiBase(url)}v1/mesh`, fetch),
  );
  return mesh.success ? mesh.data.public_key : null;
}

async function getJson(url: string, fetch: Platform["fetch"]): Promise<unknown> {
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(PROBLEM_TIMEOUT),
    });
    return await boundedJson(response, PROBLEM_BYTES_MAX);
  } catch {
    return null; // unreachable, or not a mesh
  }
}
