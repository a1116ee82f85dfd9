import { err, type Result } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Before, CellCalls } from "../cells/cell-calls.ts";
import { ALL_DIALED, CONNECTED_ALREADY } from "./dial-lifecycle.ts";
import { KEY_BARRED } from "./dial-commands.ts";

/**
 * Before the cell of a peer admits a session that cell 0 dialed: cell 0 says whether it expects this key at the address. If all places are
 * taken, one idle session whose turn is over ends first, whichever cell it is in. The peer has proved its key by then.
 */
export const admitDialed: Before<"admit"> = (cell, { dial, peerId, publicKey }) => {
  if (dial === undefined) return null;
  const known = cell.registry.peers.get(peerId);
  if (known !== null && isConnected(known.state)) return async () => err(CONNECTED_ALREADY);
  return async () => {
    const checked = await askOrRun(cell, 0, "check_dial", { dial, publicKey });
    if (!checked.ok) return checked;
    const { fault, replaceable } = checked.value;
    if (fault !== null) return err(fault);
    if (replaceable === null) return null;
    for (const { cell: home, ...session } of replaceable.slice(0, TRIES)) {
      const answer = await askOrRun(cell, home, "end_turn", session);
      if (answer.ok && answer.value.ended) return null;
    }
    return err(ALL_DIALED);
  };
};

/** Sessions that are asked to end for one that begins. */
const TRIES = 4;

/** An address is not registered for a barred key: the cell of the key knows. */
export const registerAddress: Before<"dial_peer"> = (cell, { key }, actor) => {
  const { cells } = cell.registry;
  const home = key === null ? cells.own : homeOf(cells.topology, key.peerId);
  if (key === null || home === cells.own) return null;
  return async () => {
    // Asked for the peer, its cell fetches what the cell where the peer was before has of it: then it lists no known peer anew.
    const known = await cell.ask(home, actor, "get_peer", { id: key.peerId });
    if (!known.ok && known.error.code !== "not_found") return known;
    const answer = await cell.ask(home, cell.self, "is_denied", { peerId: key.peerId });
    if (!answer.ok) return answer;
    return answer.value.denied ? err(KEY_BARRED) : null;
  };
};

const askOrRun = <K extends CommandName>(
  cell: CellCalls,
  to: number,
  name: K,
  input: Input<K>,
): Promise<Result<Output<K>, MusterError>> =>
  to === cell.registry.cells.own
    ? cell.runHere(cell.self, name, input)
    : cell.ask(to, cell.self, name, input);
