import { readMeshLink } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { targetOf } from "../target.ts";

/** Where a sender delivers to a source of the mesh that the options select. */
export async function sourceUrl(
  values: Parameters<typeof targetOf>[0],
  name: string,
): Promise<string> {
  const { url } = await targetOf(values);
  return `${apiBase(readMeshLink(url)?.url ?? url)}v1/webhooks/${encodeURIComponent(name)}`;
}
