import { apiBase } from "../client/urls.ts";
import { readMeshLink } from "../client/index.ts";
import { Failure } from "./failure.ts";

/** What a mesh answers is pasted into a shell, so it must not end a quotation there. */
const LINK = /^muster:\/\/[\w.:[\]-]+\/#[0-9a-f]{64}&join=mjk_[0-9a-f]+$/;
const JOIN_KEY = /^mjk_[0-9a-f]+$/;

/**
 * The arguments with which a peer joins the mesh at this URL by a join key: the link, if it leads there. A link means https, or http
 * on this machine, so a mesh that is reached by http from elsewhere is named by its URL and its key. muster.2 needs no TLS: it
 * encrypts by itself, and the peer refuses a mesh with another key.
 */
export function joinArguments(meshUrl: string, created: { link: string; key: string }): string {
  const named = LINK.test(created.link) ? readMeshLink(created.link) : null;
  if (named === null || !JOIN_KEY.test(created.key))
    throw new Failure("the mesh answered with a link or a join key that is not valid");
  const base = apiBase(meshUrl);
  if (apiBase(named.url) === base) return `'${created.link}'`;
  return `${base} --mesh-key ${named.meshKey} --key ${created.key}`;
}
