import type { DialRef, ProvedKey } from "../peers/dial.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { DialView } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** Addresses that the operator registered, which the mesh dials. */
export interface DialingCommands {
  /** An attempt to dial failed; `proved` when the peer had proved a key before. */
  dial_failed: {
    caller: "session";
    input: { readonly dial: DialRef; readonly error: string; readonly proved: ProvedKey | null };
    output: Empty;
  };

  /** In cell 0: whether a session that it dialed may be accepted in the cell of its peer. */
  check_dial: {
    caller: "cell";
    input: { readonly dial: DialRef; readonly publicKey: string };
    output: {
      readonly fault: SessionFault | null;
      /** When all places are taken: sessions of which one has to end first, the first ones first. Null while a place is free. */
      readonly replaceable: readonly DialedSession[] | null;
    };
  };
  /** Ends a dialed session whose turn is over, unless its peer has a task. */
  end_turn: {
    caller: "cell";
    input: Omit<DialedSession, "cell">;
    output: { readonly ended: boolean };
  };
  /** Whether a key is barred from the mesh, in its cell. */
  is_denied: {
    caller: "cell";
    input: { readonly peerId: PeerId };
    output: { readonly denied: boolean };
  };

  /** Registers an address; dials it now if it is registered already. */
  dial_peer: {
    caller: "gateway";
    input: { readonly url: string; readonly name: string; readonly key: ProvedKey | null };
    output: { readonly dial: DialView; readonly created: boolean };
  };
  list_dials: { caller: "gateway"; input: Empty; output: { readonly dials: DialView[] } };
  remove_dial: { caller: "gateway"; input: { readonly id: string }; output: Empty };
}

/** A session that cell 0 dialed, in the cell of its peer. */
interface DialedSession {
  readonly cell: number;
  readonly peerId: PeerId;
  /** The epoch of the session. */
  readonly session: number;
}

export const DIALING_CALLERS: CallersOf<DialingCommands> = {
  dial_failed: "session",
  check_dial: "cell",
  end_turn: "cell",
  is_denied: "cell",
  dial_peer: "gateway",
  list_dials: "gateway",
  remove_dial: "gateway",
};
