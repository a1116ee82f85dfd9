import { SECOND, type Millis } from "../../base/clock.ts";
import { MeshView, ProblemView } from "../../protocol/http.ts";
import { PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { boundedJson } from "../http/bounded-body.ts";
import { CLOCK_CORRECTION_MAX, PROBLEM_BYTES_MAX } from "../timings.ts";
import { apiBase } from "../urls.ts";
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
      return (
        (await provedOffset(meshUrl, meshKey, { fetch, now })) ?? {
          kind: "dropped",
          code: 1006,
          reason: `${code}: ${detail}`,
        }
      );
    case "mesh_key_unknown": {
      const message = `the mesh does not have the key ${meshKey}: ${detail}`;
      return { kind: "refused", error: new PeerError("mesh_key_mismatch", message) };
    }
    case "upgrade_required":
      return end; // the proof in the URL is valid: the socket failed for another reason
    default:
      return { kind: "dropped", code: 1006, reason: `${code}: ${detail}` };
  }
}

/**
 * How far the mesh's clock differs, by the time that it proves with its key: a server without that key corrects nothing. Null if it
 * proves none, or if the clocks differ by more than a correction may.
 */
async function provedOffset(
  meshUrl: string,
  meshKey: string,
  { fetch, now }: Pick<Platform, "fetch" | "now">,
): Promise<ConnectionEnd | null> {
  try {
    const { time } = await provedMesh(meshUrl, fetch, meshKey, PROBLEM_TIMEOUT);
    const clockOffset = time - now();
    return Math.abs(clockOffset) <= CLOCK_CORRECTION_MAX
      ? { kind: "skewed", clockOffset, reason: "the mesh's clock differs from this machine's" }
      : null;
  } catch {
    return null;
  }
}

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
