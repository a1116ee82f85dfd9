import type { SessionEffect } from "../src/session/effects.ts";
import type { Session } from "../src/session/state.ts";
import { log } from "./worker-log.ts";

/** Logs what one step made of a session: it has begun, was refused, or was ended by the mesh. A peer that leaves has no line. */
export function logSessionChange(
  before: Session,
  after: Session,
  effects: readonly SessionEffect[],
): void {
  if (before.state === "closed") return;
  const { address } = before.origin;
  if (before.state === "active") {
    const code = faultIn(effects);
    const { peerId: peer } = before.claim;
    if (code !== null) log.write("session.ended", { code, peer, address });
    return;
  }
  if (after.state === "active") log.write("session.opened", { peer: after.claim.peerId, address });
  if (after.state !== "closed") return;
  const code = faultIn(effects);
  if (code === null) return;
  log.write("session.refused", { code, peer: peerOf(before), address, state: before.state });
}

const faultIn = (effects: readonly SessionEffect[]): string | null =>
  effects.find((effect) => effect.type === "close")?.fault ?? null;

/** Who the peer says that it is. */
function peerOf(session: Exclude<Session, { state: "closed" }>): string | null {
  if ("claim" in session) return session.claim.peerId;
  return session.state === "noise" ? session.peerId : null;
}
