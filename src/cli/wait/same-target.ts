import { readMeshLink } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { quoted } from "../join-command.ts";

/** The options that select a mesh. */
export interface TargetWords {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly "token-file"?: string | undefined;
  readonly dir?: string | undefined;
}

/**
 * The words by which another command in the same shell reaches the same mesh. A secret among the arguments is not repeated: it has to be
 * passed on by the user.
 */
export function sameTarget(values: TargetWords): readonly string[] {
  const { url, token, "token-file": file, dir } = values;
  return [
    ...(url === undefined ? [] : ["--url", quoted(withoutJoinKey(url))]),
    ...(file !== undefined && file !== "-" ? ["--token-file", quoted(file)] : []),
    ...(token !== undefined || file === "-" ? ["--token-file", "FILE"] : []),
    ...(dir === undefined ? [] : ["--dir", quoted(dir)]),
  ];
}

/** A link without its join key, or a URL without its query. */
function withoutJoinKey(url: string): string {
  const link = readMeshLink(url);
  if (link === null) return apiBase(url);
  return url.replace(/&.*$/s, "");
}
