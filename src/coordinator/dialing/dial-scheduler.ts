import { admit } from "../../peers/admission.ts";
import { afterDialEvent, type Dial, type DialEvent } from "../../peers/dial.ts";
import type { Peer } from "../../peers/peer.ts";
import { DIAL_TIME_SLICE } from "../../protocol/constants.ts";
import type { Context } from "../kernel/context.ts";
import { standingOf } from "../peers/scored-peers.ts";
import { isConnectedAnywhere, isOwnKey, pastTurnElsewhere } from "./dialed-elsewhere.ts";

/**
 * Dials due addresses while places are free, in the order in which they became due. An idle session that has lasted
 * its turn counts as a free place: it ends only once a waiting peer has proved itself. So every address is dialed
 * however many there are, and no session ends for an address where no peer answers.
 */
export function startDials(context: Context): void {
  const { registry, config, now } = context;
  for (const dial of registry.dials.due(now)) {
    if (dial.state === "waiting") applyDialEvent(context, dial, { type: "due" });
    else applyDialEvent(context, dial, { type: "failed", error: NO_OUTCOME, proved: null });
  }
  if (!registry.dials.anyQueued()) return;
  const { dialling, connected } = registry.dials.taken();
  const mayEnd = idlePastTurn(context).length + pastTurnElsewhere(context).length;
  let room = config.dialsMax - dialling - connected + mayEnd;
  while (room > 0) {
    const next = registry.dials.queued(room);
    if (next.length === 0) return;
    for (const dial of next) room -= Number(dialAddress(context, dial));
  }
}

const NO_OUTCOME = "the attempt had no outcome in time";

/** Applies an event to a registered address, writes it, and returns it. */
export function applyDialEvent(
  { registry, now, random }: Context,
  dial: Dial,
  event: DialEvent,
): Dial {
  const moved = afterDialEvent(dial, event, now, random);
  if (moved !== dial) registry.dials.put(moved);
  return moved;
}

/** Idle peers whose dialed session has lasted its turn, the longest first. */
export const idlePastTurn = ({ registry, now }: Context): readonly Peer[] =>
  registry.dials
    .connectedBefore(now - DIAL_TIME_SLICE)
    .flatMap(({ peerId }) => (peerId === null ? [] : (registry.peers.get(peerId) ?? [])))
    .filter(({ held }) => held === 0);

/** Dials one address, unless its peer is connected or would not be admitted. Returns whether it took a place. */
function dialAddress(context: Context, dial: Dial): boolean {
  const { effects } = context;
  if (dial.peerId !== null && isConnectedAnywhere(context, dial.peerId)) {
    applyDialEvent(context, dial, { type: "elsewhere" });
    return false;
  }
  const reason = admissionFault(context, dial);
  if (reason !== null) {
    applyDialEvent(context, dial, { type: "barred", reason });
    return false;
  }
  const { id, url, publicKey, attempts } = applyDialEvent(context, dial, { type: "called" });
  effects.push({ type: "dial", order: { dial: { id, attempt: attempts }, url, publicKey } });
  return true;
}

/**
 * Why the key of an address would not be admitted, whatever role it claimed; null when it would be, or is not known. A key of another cell
 * is dialed, and that cell refuses it.
 */
function admissionFault(context: Context, { publicKey, peerId: id }: Dial): string | null {
  if (publicKey === null || id === null || !isOwnKey(context, id)) return null;
  const { peers, tombstones, allowlist } = context.registry;
  const spokeMuster2 = (peers.get(id) ?? tombstones.get(id))?.spokeMuster2 ?? false;
  const coming = { id, spokeMuster2, protocol: "go-p2p/1.0" } as const;
  const admission = admit(standingOf(context, coming, allowlist.get(publicKey)), "dual");
  return admission.ok ? null : `${admission.error.code}: ${admission.error.detail}`;
}
