import type { Command } from "../command.ts";
import { commandsOf, type CommandGroup } from "../command-groups.ts";
import { alerts } from "./alerts.ts";
import { allow } from "./allow.ts";
import { allowlist } from "./allowlist.ts";
import { assign } from "./assign.ts";
import { audit } from "./audit.ts";
import { authMode } from "./auth-mode.ts";
import { backup } from "./backup.ts";
import { callback } from "./callback.ts";
import { cells } from "./cells.ts";
import { completionFor } from "./completion.ts";
import { conformance } from "./conformance.ts";
import { demo } from "./demo.ts";
import { denylist } from "./denylist.ts";
import { dial } from "./dial.ts";
import { disallow } from "./disallow.ts";
import { discover } from "./discover.ts";
import { events } from "./events.ts";
import { helpFor } from "./help.ts";
import { joinKey } from "./join-key.ts";
import { join } from "./join.ts";
import { keygen } from "./keygen.ts";
import { kinds } from "./kinds.ts";
import { mesh } from "./mesh.ts";
import { metrics } from "./metrics.ts";
import { peers } from "./peers.ts";
import { restore } from "./restore.ts";
import { revoke } from "./revoke.ts";
import { rotate } from "./rotate.ts";
import { rtt } from "./rtt.ts";
import { score } from "./score.ts";
import { serve } from "./serve.ts";
import { stateHash } from "./state-hash.ts";
import { start } from "./start.ts";
import { task } from "./task.ts";
import { tasks } from "./tasks.ts";
import { token } from "./token.ts";
import { version } from "./version.ts";
import { webhook } from "./webhook.ts";
import { why } from "./why.ts";

/** The commands by what they are for, in the order in which `muster help` lists them. */
const WORK: readonly CommandGroup[] = [
  {
    title: "Run a mesh",
    commands: {
      start,
      serve,
      demo,
      keygen,
      mesh,
      events,
      alerts,
      cells,
      metrics,
      audit,
      backup,
      restore,
      "state-hash": stateHash,
    },
  },
  { title: "Work as a peer", commands: { join, rotate, conformance } },
  { title: "Give tasks", commands: { assign, task, tasks, kinds, callback, webhook } },
  { title: "See and steer the peers", commands: { peers, discover, score, why, rtt, dial } },
  {
    title: "Say who may do what",
    commands: {
      "auth-mode": authMode,
      allow,
      disallow,
      allowlist,
      revoke,
      denylist,
      "join-key": joinKey,
      token,
    },
  },
];

const help = helpFor(() => COMMAND_GROUPS);
const completion = completionFor(() => COMMAND_GROUPS);

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  ...WORK,
  { title: "About the command line", commands: { help, version, completion } },
];

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Command>> = commandsOf(COMMAND_GROUPS);
