import { MeshView, ProblemView } from "../../protocol/http.ts";
import { PeerError } from "../errors.ts";
import type { LinkEnd } from "./connection.ts";
import type { Platform } from "../platform.ts";
import { apiBase } from "../urls.ts";

/** A mesh that does not answer within this time is as good as one that does not say it. */
const ANSWER_TIMEOUT = 5_000;

/**
 * Why a muster.2 dial was refused before there was a session: the gateway's problem document, got by asking the same URL
 * without an upgrade. It is not authenticated, so it can only make the peer stop or try again, never trust anybody.
 */
export async function explainDial(
  connectUrl: string,
  end: LinkEnd,
  meshKey: string,
  { fetch, now }: Pick<Platform, "fetch" | "now">,
): Promise<LinkEnd> {
  const { href } = new URL(connectUrl.replace(/^ws/, "http"));
  const problem = ProblemView.safeParse(await getJson(href, fetch));
  if (!problem.success) return end;
  const { code, detail, time } = problem.data;
  switch (code) {
    case "clock_skew":
      return { kind: "skewed", clockOffset: Date.parse(time ?? "") - now(), reason: detail };
    case "mesh_key_unknown":
      return {
        kind: "refused",
        error: new PeerError(
          "mesh_key_mismatch",
          `the mesh does not have the key ${meshKey}: ${detail}`,
        ),
      };
    case "upgrade_required":
      return end; // nothing wrong with the proof: the socket failed for a reason of its own
    default:
      return { kind: "dropped", code: 1006, reason: `${code}: ${detail}` };
  }
}

/** The key that the mesh at this URL says it has, in hex; null when it says nothing. */
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
      signal: AbortSignal.timeout(ANSWER_TIMEOUT),
    });
    return await response.json();
  } catch {
    return null; // out of reach, or not a mesh
  }
}
