import { toHex } from "../../base/bytes.ts";
import { err, ok } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { MovedPeer } from "../../contract/cells.ts";
import type { Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { savePeer } from "../peers/scored-peers.ts";
import { learn } from "./topology.ts";

/** Keys of one page, and the bytes of rows after which a page ends. */
const PAGE_KEYS = 500;
const PAGE_BYTES = 2 * 1_024 * 1_024;
const TOKEN_BYTES = 12;

/** Gives the asking cell its peers (CE101). What is given has left this cell; it is kept until the other one confirms that it has it. */
export const handOver: Handler<"hand_over"> = (context, input) => {
  const { cells, peerMoves } = context.registry;
  learn(context, input.topology);
  if (cells.topology.version !== input.topology.version) return err(OTHER_TOPOLOGY);
  if (input.peers === null) return ok(page(context, input));
  const given = input.peers.map((peerId) => give(context, peerId, input));
  const arrived = input.peers.flatMap((peerId) => peerMoves.arrivalsOf(peerId));
  return ok({ ...sorted(given), arrived, next: null });
};

const OTHER_TOPOLOGY: MusterError = {
  code: "unavailable",
  detail: "the cells of the mesh have just changed; try again",
  retryAfter: 1,
};

/** A page of all keys of which this cell has something, and of those that have left it. */
function page(context: Context, input: Input<"hand_over">): Output<"hand_over"> {
  const { peerBundles, peerMoves, cells } = context.registry;
  const after = input.after ?? null;
  const left = peerMoves.departedAfter(after, PAGE_KEYS).map(({ peerId }) => peerId);
  const keys = [...new Set([...peerBundles.keysAfter(after, PAGE_KEYS), ...left])]
    .toSorted()
    .slice(0, PAGE_KEYS);
  const given: Given[] = [];
  let [bytes, last] = [0, null as PeerId | null];
  for (const peerId of keys) {
    if (bytes > PAGE_BYTES) return { ...sorted(given), arrived: [], next: last };
    last = peerId;
    if (homeOf(cells.topology, peerId) !== input.to) continue;
    const one = give(context, peerId, input);
    given.push(one);
    if (one.state === "given") bytes += JSON.stringify(one.peer.rows).length;
  }
  return { ...sorted(given), arrived: [], next: keys.length < PAGE_KEYS ? null : last };
}

type Given =
  | { readonly state: "given"; readonly peer: MovedPeer }
  | { readonly state: "absent" | "busy"; readonly peerId: PeerId }
  | { readonly state: "elsewhere"; readonly peerId: PeerId; readonly cell: number };

const sorted = (
  given: readonly Given[],
): Pick<Output<"hand_over">, "peers" | "busy" | "elsewhere"> => ({
  peers: given.flatMap((one) => (one.state === "given" ? [one.peer] : [])),
  busy: given.flatMap((one) => (one.state === "busy" ? [one.peerId] : [])),
  elsewhere: given.flatMap((one) =>
    one.state === "elsewhere" ? [{ peerId: one.peerId, cell: one.cell }] : [],
  ),
});

function give(context: Context, peerId: PeerId, { to, asked }: Input<"hand_over">): Given {
  const { registry, randomBytes } = context;
  const { peerMoves, peerBundles } = registry;
  const departed = peerMoves.departed(peerId);
  if (departed !== null && asked?.arrived.includes(departed.token)) {
    peerMoves.confirm(departed.token);
    return { state: "absent", peerId };
  }
  if (departed !== null) {
    // A cell that was asked by this topology takes the peer no more.
    if (departed.cell !== to && !asked?.cells.includes(departed.cell))
      return { state: "elsewhere", peerId, cell: departed.cell };
    peerMoves.depart({ ...departed, cell: to });
    return { state: "given", peer: { ...departed, ends: endsOf(context, peerId) } };
  }
  if (registry.tasks.heldBy(peerId).length > 0) {
    stopOffers(context, peerId);
    return { state: "busy", peerId };
  }
  const rows = peerBundles.read(peerId);
  if (rows === null) return { state: "absent", peerId };
  const ends = endsOf(context, peerId);
  const token = toHex(randomBytes(TOKEN_BYTES));
  peerBundles.remove(peerId, rows);
  peerMoves.depart({ peerId, token, cell: to, rows });
  return { state: "given", peer: { peerId, token, rows, ends } };
}

/** A peer that is to leave gets no more tasks here: it leaves once it has none. */
function stopOffers(context: Context, peerId: PeerId): void {
  const peer = context.registry.peers.get(peerId);
  if (peer !== null && !peer.scheduling.leaving)
    savePeer(context, { ...peer, scheduling: { ...peer.scheduling, leaving: true } });
}

const endsOf = ({ registry }: Context, peerId: PeerId): MovedPeer["ends"] =>
  registry.outbox.unconfirmedEndOrders(peerId);
