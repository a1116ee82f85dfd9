import { toRfc3339 } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Dial, ProvedKey } from "../../peers/dial.ts";
import { DIAL_ADDRESSES_MAX } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { DialView } from "../../protocol/http.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import { outboundUrl } from "../../protocol/outbound-url.ts";
import { ownKeyFault } from "../admission/own-key.ts";
import type { Context } from "../kernel/context.ts";
import type { Input } from "../../contract/commands.ts";
import { applyDialEvent, startDials } from "./dial-scheduler.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { endSession } from "../peers/scored-peers.ts";
import { disconnectPeer } from "../admission/sessions.ts";
import { sendToCell } from "../cells/send-message.ts";
import { homeOf } from "../../cells/topology.ts";
import { listAsDiscovered } from "./discovered-peers.ts";
import { announceDials, isConnectedAnywhere, isOwnKey } from "./dialed-elsewhere.ts";
import { ADDRESS_REMOVED, removeElsewhere } from "./remote-addresses.ts";

export const KEY_BARRED: MusterError = {
  code: "conflict",
  detail: "this key is revoked or rotated; allow a revoked key with readmit first",
};

/** Registers an address where a peer listens, and dials it. Registering the same address again dials it at once. */
export const dialPeer: Handler<"dial_peer"> = (context, input) => {
  const { registry } = context;
  const url = addressOf(context, input.url);
  if (!url.ok) return url;
  if (input.key !== null && registry.denylist.has(input.key.peerId)) return err(KEY_BARRED);
  const before = registry.dials.ofUrl(url.value);
  const own = ownKeyFault(context, input.key?.peerId ?? null);
  if (own !== null) return err(own);
  const dial = before === null ? register(context, url.value, input) : amend(before, input);
  if (!dial.ok) return dial;
  registry.dials.put(dial.value);
  if (registry.dials.count() === 1) announceDials(context);
  applyDialEvent(context, dial.value, { type: "wanted" });
  if (input.key !== null) listKey(context, input.key, input.name, url.value);
  startDials(context);
  const view = dialView(registry.dials.get(dial.value.id) as Dial);
  return ok({ dial: view, created: before === null });
};

/** Lists the peer of an address in its cell. */
function listKey(context: Context, key: ProvedKey, name: string, address: string): void {
  const { topology } = context.registry.cells;
  if (isOwnKey(context, key.peerId)) return listAsDiscovered(context, key, name, address);
  const message = { type: "address_added", key, name, address } as const;
  sendToCell(context, homeOf(topology, key.peerId), message);
}

/** The address in its canonical form. It has no query, because everyone who sees the peers sees their addresses. */
function addressOf({ config }: Context, text: string): Result<string, MusterError> {
  const { allowLoopback, outboundAllow: allow } = config;
  const url = outboundUrl(text, { schemes: ["wss", "ws"], allowLoopback, allow });
  if (!url.ok) return badUrl(url.error.detail);
  return new URL(url.value).search === ""
    ? url
    : badUrl("an address must have no query, because everyone who sees the peers sees it");
}

const badUrl = (message: string): Result<never, MusterError> =>
  err({
    code: "invalid_request",
    detail: `url: ${message}`,
    issues: [{ path: "url", message }],
  });

function register(
  { registry, now, actor, randomBytes }: Context,
  url: string,
  { name, key }: Input<"dial_peer">,
): Result<Dial, MusterError> {
  if (registry.dials.count() >= DIAL_ADDRESSES_MAX) {
    return err({
      code: "conflict",
      detail: `there are ${DIAL_ADDRESSES_MAX} addresses, the limit; remove some`,
    });
  }
  return ok({
    id: newOpaqueId(randomBytes),
    url,
    name,
    publicKey: key?.publicKey ?? null,
    peerId: key?.peerId ?? null,
    addedAt: now,
    addedBy: actor,
    state: "waiting",
    since: now,
    dueAt: now,
    attempts: 0,
    failures: 0,
    lastError: null,
  });
}

function amend(dial: Dial, { name, key }: Input<"dial_peer">): Result<Dial, MusterError> {
  if (key !== null && dial.publicKey !== null && key.publicKey !== dial.publicKey) {
    return err({
      code: "conflict",
      detail: "this address is registered with another key; remove the address first",
    });
  }
  return ok({ ...dial, ...key, name: name === "" ? dial.name : name });
}

export const listDials: Handler<"list_dials"> = ({ registry }) =>
  ok({ dials: registry.dials.list().map(dialView) });

/** Removes an address and ends the session that it led to. The record of a peer that proved itself stays. */
export const removeDial: Handler<"remove_dial"> = (context, { id }) => {
  const { registry } = context;
  const dial = registry.dials.get(id);
  if (dial === null) return notFound("address with this ID");
  registry.dials.remove(id);
  const peer = dial.peerId === null ? null : registry.peers.get(dial.peerId);
  if (dial.state === "connected" && peer !== null) {
    const detail = ADDRESS_REMOVED;
    endSession(context, peer, { code: "forgotten", detail });
    disconnectPeer(context, peer, detail, false);
  }
  // A peer that never proved itself was listed only because of this address.
  if (peer?.state === "discovered" && registry.dials.ofPeer(peer.id).length === 0)
    registry.peers.remove(peer.id);
  removeElsewhere(context, dial);
  if (registry.dials.count() === 0) announceDials(context);
  startDials(context);
  return done;
};

/** A dial attempt failed. A report of an older attempt at the address changes nothing. */
export const dialFailed: Handler<"dial_failed"> = (context, { dial: ref, error, proved }) => {
  const { registry } = context;
  const dial = registry.dials.get(ref.id);
  if (dial === null || dial.attempts !== ref.attempt) return done;
  const { peerId } = applyDialEvent(context, dial, {
    type: "failed",
    error: error.slice(0, ERROR_CHARS_MAX),
    proved,
  });
  // The attempt may have shown that the peer is connected already.
  const failed = registry.dials.get(ref.id) as Dial;
  if (peerId !== null && isConnectedAnywhere(context, peerId))
    applyDialEvent(context, failed, { type: "elsewhere" });
  startDials(context);
  return done;
};

const ERROR_CHARS_MAX = 500;

const dialView = (dial: Dial): DialView => ({
  id: dial.id,
  url: dial.url,
  name: dial.name,
  public_key: dial.publicKey,
  peer_id: dial.peerId,
  state: dial.state,
  since: toRfc3339(dial.since),
  next_at: dial.state === "waiting" && dial.dueAt !== null ? toRfc3339(dial.dueAt) : null,
  attempts: dial.attempts,
  failures: dial.failures,
  last_error: dial.lastError,
  added_at: toRfc3339(dial.addedAt),
  added_by: dial.addedBy,
});
