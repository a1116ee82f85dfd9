import { OptionsError } from "./errors.ts";
import { publicKeyHex } from "./public-key.ts";

/** What a new peer needs to join: the mesh's URL, the key that it must prove, and optionally a join key. */
export interface MeshLink {
  readonly url: string;
  readonly meshKey: string;
  readonly joinKey: string | null;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Parses `muster://HOST/#MESHKEY` or `muster://HOST/#MESHKEY&join=JOINKEY`. The keys are in the fragment because clients do
 * not send it to servers. The link means https, or http for a mesh on this machine. Returns null if the text is not a
 * `muster://` link; throws an `OptionsError` if the link is not valid.
 */
export function readMeshLink(text: string): MeshLink | null {
  if (!text.startsWith("muster://")) return null;
  if (!URL.canParse(text))
    throw new OptionsError("this muster:// link is not a valid URL; copy the whole link");
  const { host, hostname, pathname, hash } = new URL(text);
  const [key = "", ...rest] = hash.slice(1).split("&");
  if (host === "" || key === "") {
    throw new OptionsError(
      "a muster:// link has the form muster://HOST/#MESHKEY; copy the whole link",
    );
  }
  const join = rest.find((part) => part.startsWith("join="))?.slice("join=".length);
  return {
    url: `${LOOPBACK.test(hostname) ? "http" : "https"}://${host}${pathname}`,
    meshKey: publicKeyHex(key),
    joinKey: join ?? null,
  };
}
