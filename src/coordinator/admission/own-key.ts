import type { MusterError, SessionFault } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";

/** The mesh is no peer of itself: the fault of a key that is the mesh's own, or its next one. */
export const ownKeyFault = (
  { config }: Pick<Context, "config">,
  id: PeerId | null,
): (MusterError & SessionFault) | null =>
  id !== null && config.meshIds.includes(id)
    ? { code: "identity_mismatch", detail: "this key is the mesh's own: use the key of a peer" }
    : null;
