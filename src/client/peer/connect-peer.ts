import { toRfc3339 } from "../../base/clock.ts";
import { outageOf } from "../clients/options.ts";
import type { PeerProfile } from "../connection/connection.ts";
import { goP2pIdentity } from "../connection/go-p2p-handshake.ts";
import { OptionsError } from "../errors.ts";
import { generateIdentity, identityFrom } from "../own-keys.ts";
import { hostPlatform, type Platform } from "../platform.ts";
import { moduleUrl } from "../threads/module-url.ts";
import { ThreadPool } from "../threads/thread-pool.ts";
import { kindsOf, selectedHandlers } from "./announced-kinds.ts";
import { MAX_FRAME_LEAST, MAX_FRAME_MOST } from "../../protocol/max-frame.ts";
import { resolveDestination, type Destination } from "./destination.ts";
import { MeshPeer } from "./mesh-peer.ts";
import type { Peer } from "./peer-handle.ts";
import { typeNameOf } from "../option-types.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { PEER_OPTIONS, type PeerOptions } from "./peer-options.ts";

const EXAMPLE =
  'connectPeer({ url: "https://mesh.example", handlers: { resize: async (payload) => payload } })';

/**
 * Joins a mesh as a peer and runs its tasks. Returns at once; await `peer.ready` for the welcome. The peer reconnects by
 * itself until it is closed. Throws an `OptionsError` if the options are not valid. `handlersModule` rather than `handlers`
 * is for work that computes: see `PeerOptions`.
 *
 * A handler may declare its own payload type, also as an interface. The SDK does not validate payloads against it.
 */
export function connectPeer(options: PeerOptions): Peer {
  refuseUnknownOptions("connectPeer", options, PEER_OPTIONS, EXAMPLE);
  const { measureHops = true } = options;
  const platform = {
    ...hostPlatform,
    ...options.platform,
    ...(!measureHops && { measureRoute: () => Promise.resolve(null) }),
  };
  const keys =
    options.privateKey === undefined ? generateIdentity() : identityFrom(options.privateKey);
  for (const [kind, handler] of Object.entries<unknown>(options.handlers ?? {}))
    if (typeof handler !== "function")
      throw new OptionsError(
        `\`handlers.${kind}\` of connectPeer is a function, not ${typeNameOf(handler)}`,
      );
  const kinds = options.kinds ?? null;
  const hasModule = options.handlersModule !== undefined;
  // With a module, the kinds are selected when its handlers are known.
  const handlers = selectedHandlers(options.handlers ?? {}, hasModule ? null : kinds);
  const profile: PeerProfile = {
    keys,
    name: options.name ?? "",
    role: options.role ?? "worker",
    capabilities: options.capabilities ?? [],
    kinds: kindsOf(handlers),
    slots: options.slots ?? 1,
    prefetch: options.prefetch ?? true,
    ...(options.maxFrame !== undefined && { maxFrame: options.maxFrame }),
    createdAt: options.createdAt ?? toRfc3339(platform.now()),
  };
  goP2pIdentity(profile); // throws if a field is not valid
  const destination = resolveDestination(options);
  checkMaxFrame(options.maxFrame, destination);
  return new MeshPeer({
    profile,
    destination,
    handlers,
    select: (loaded) => selectedHandlers({ ...loaded, ...handlers }, kinds),
    threads: threadsOf(options, platform),
    onEvent: options.onEvent,
    outageMs: outageOf(options.outageMs),
    platform,
  });
}

function checkMaxFrame(maxFrame: number | undefined, { protocol }: Destination): void {
  if (maxFrame === undefined) return;
  if (protocol !== "muster/2")
    throw new OptionsError("`maxFrame` of connectPeer is for muster.2: go-p2p has no such limit");
  if (Number.isInteger(maxFrame) && maxFrame >= MAX_FRAME_LEAST && maxFrame <= MAX_FRAME_MOST)
    return;
  throw new OptionsError(
    `\`maxFrame\` of connectPeer is a whole number from ${MAX_FRAME_LEAST} to ${MAX_FRAME_MOST}, not ${maxFrame}`,
  );
}

function threadsOf(
  { handlersModule, slots = 1 }: PeerOptions,
  { spawnThread }: Platform,
): ThreadPool | null {
  if (handlersModule === undefined) return null;
  return new ThreadPool({ module: moduleUrl(handlersModule), spawn: spawnThread, size: slots });
}
