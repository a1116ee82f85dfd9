import type { DialRef, ProvedKey } from "../peers/dial.ts";
import type { DialView } from "../protocol/http.ts";
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

  /** Registers an address; dials it now if it is registered already. */
  dial_peer: {
    caller: "gateway";
    input: { readonly url: string; readonly name: string; readonly key: ProvedKey | null };
    output: { readonly dial: DialView; readonly created: boolean };
  };
  list_dials: { caller: "gateway"; input: Empty; output: { readonly dials: DialView[] } };
  remove_dial: { caller: "gateway"; input: { readonly id: string }; output: Empty };
}

export const DIALING_CALLERS: CallersOf<DialingCommands> = {
  dial_failed: "session",
  dial_peer: "gateway",
  list_dials: "gateway",
  remove_dial: "gateway",
};
