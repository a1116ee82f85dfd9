import { MINUTE } from "../../base/clock.ts";
import type { DialingCommands } from "../../contract/dialing.ts";
import { AUDIT_SUBJECT_CHARS_MAX } from "../kernel/audit.ts";
import type { Domain } from "../kernel/domain.ts";
import { earliest, type Job } from "../kernel/job.ts";
import { dialFailed, dialPeer, listDials, removeDial } from "./dial-commands.ts";
import { checkDial, endTurn, isDenied } from "./dialed-sessions.ts";
import { startDials } from "./dial-scheduler.ts";

/**
 * Addresses that wait for a place are checked again this often: no event announces that a session has lasted its turn.
 */
const QUEUE_SWEEP_INTERVAL = MINUTE;

const dialDue: Job = {
  name: "dial_due",
  run: startDials,
  due: {
    reads: ["dials"],
    at: ({ registry, now }) =>
      earliest([
        registry.dials.nextDue(),
        registry.dials.anyQueued() ? now + QUEUE_SWEEP_INTERVAL : null,
      ]),
  },
};

export const dialing: Domain<DialingCommands> = {
  handlers: {
    dial_failed: dialFailed,
    dial_peer: dialPeer,
    list_dials: listDials,
    remove_dial: removeDial,
    check_dial: checkDial,
    end_turn: endTurn,
    is_denied: isDenied,
  },
  audit: {
    dial_peer: ({ url, name, key }, output) => ({
      subject: url.slice(0, AUDIT_SUBJECT_CHARS_MAX),
      detail: { dial: output?.dial.id ?? null, name, public_key: key?.publicKey ?? null },
    }),
    remove_dial: ({ id }) => ({ subject: id }),
  },
  jobs: [dialDue],
};
