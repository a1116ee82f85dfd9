import { OptionsError } from "./errors.ts";
import { publicKeyHex } from "./keys.ts";

/** All that a newcomer needs: where the mesh is, which key it must prove, and perhaps a join key. */
export interface MeshLink {
  readonly url: string;
  readonly meshKey: string;
  readonly joinKey: string | null;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads `muster://HOST/#MESHKEY` or `muster://HOST/#MESHKEY&join=JOINKEY`. What is secret stands in the fragment, which no
 * client sends to a server. It means https, except for a mesh on this machine. Null for anything that is no such link;
 * throws an `OptionsError` for one that is damaged.
 */
export function readMeshLink(text: string): MeshLink | null {
  if (!text.startsWith("muster://")) return null;
  if (!URL.canParse(text)) throw new OptionsError("this muster:// link is damaged: it is no URL");
  const { host, hostname, pathname, hash } = new URL(text);
  const [key = "", ...rest] = hash.slice(1).split("&");
  if (host === "" || key === "") {
    throw new OptionsError(
      "a link has the form muster://HOST/#MESHKEY, as the mesh's operator gave it",
    );
  }
  const join = rest.find((part) => part.startsWith("join="))?.slice("join=".length);
  return {
    url: `${LOOPBACK.test(hostname) ? "http" : "https"}://${host}${pathname}`,
    meshKey: publicKeyHex(key),
    joinKey: join ?? null,
  };
}
