import { readMeshLink } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { publicUrlOf, targetOf } from "../target.ts";

const pathOf = (name: string): string => `v1/webhooks/${encodeURIComponent(name)}`;

/** The same without a request: of a mesh of another machine, the URL by which it was selected. For hints about a wrong call. */
export async function likelySourceUrl(
  values: Parameters<typeof targetOf>[0],
  name: string,
): Promise<string> {
  const { url, publicUrl } = await targetOf(values);
  return `${apiBase(publicUrl ?? readMeshLink(url)?.url ?? url)}${pathOf(name)}`;
}

/** Where a sender delivers to a source of the mesh that the options select. */
export async function sourceUrl(
  values: Parameters<typeof publicUrlOf>[0],
  name: string,
): Promise<string> {
  return `${apiBase(await publicUrlOf(values))}${pathOf(name)}`;
}
