import { toRfc3339 } from "../../base/clock.ts";
import { KINDS_PER_PEER_MAX } from "../../protocol/constants.ts";
import { EVERY_KIND } from "../../protocol/messages.ts";
import type { PeerProfile } from "../connection/connection.ts";
import { goP2pIdentity } from "../connection/go-p2p-handshake.ts";
import { generateIdentity, identityFrom } from "../keys.ts";
import { hostPlatform } from "../platform.ts";
import type { Handlers } from "../work/handler.ts";
import { resolveDestination } from "./destination.ts";
import { MeshPeer } from "./mesh-peer.ts";
import type { Peer } from "./peer-handle.ts";
import type { PeerOptions } from "./peer-options.ts";

/**
 * Joins a mesh as a peer and runs its tasks. Returns at once; await `peer.ready` for the welcome. The peer reconnects by
 * itself until it is closed. Throws an `OptionsError` if the options are not valid.
 *
 * A handler may declare its own payload type, also as an interface. The SDK does not validate payloads against it.
 */
export function connectPeer(options: PeerOptions): Peer {
  const platform = { ...hostPlatform, ...options.platform };
  const keys =
    options.privateKey === undefined ? generateIdentity() : identityFrom(options.privateKey);
  const { handlers = {} } = options;
  const profile: PeerProfile = {
    keys,
    name: options.name ?? "",
    role: options.role ?? "worker",
    capabilities: options.capabilities ?? [],
    kinds: kindsOf(handlers),
    slots: options.slots ?? 1,
    prefetch: options.prefetch ?? true,
    createdAt: options.createdAt ?? toRfc3339(platform.now()),
  };
  goP2pIdentity(profile); // throws if a field is not valid
  return new MeshPeer({
    profile,
    destination: resolveDestination(options),
    handlers,
    onEvent: options.onEvent,
    platform,
  });
}

/** The kinds that a peer with these handlers announces. More than the mesh takes are announced as every kind. */
export function kindsOf(handlers: Handlers): readonly string[] {
  const kinds = Object.keys(handlers);
  return kinds.length > KINDS_PER_PEER_MAX ? [EVERY_KIND] : kinds;
}
