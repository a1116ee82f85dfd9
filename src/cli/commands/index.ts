import type { Command } from "../args.ts";
import { allow } from "./allow.ts";
import { allowlist } from "./allowlist.ts";
import { assign } from "./assign.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { callback } from "./callback.ts";
import { demo } from "./demo.ts";
import { denylist } from "./denylist.ts";
import { dial } from "./dial.ts";
import { disallow } from "./disallow.ts";
import { discover } from "./discover.ts";
import { helpFor } from "./help.ts";
import { joinKey } from "./join-key.ts";
import { join } from "./join.ts";
import { keygen } from "./keygen.ts";
import { mesh } from "./mesh.ts";
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
import { webhook } from "./webhook.ts";
import { why } from "./why.ts";

/** Every command by its name, in the order in which `muster help` lists them. */
export const COMMANDS: Record<string, Command> = {
  start,
  serve,
  demo,
  keygen,
  join,
  assign,
  task,
  tasks,
  callback,
  webhook,
  peers,
  discover,
  score,
  why,
  rtt,
  dial,
  allow,
  disallow,
  allowlist,
  revoke,
  denylist,
  "join-key": joinKey,
  token,
  rotate,
  audit,
  mesh,
  backup,
  restore,
  "state-hash": stateHash,
};
COMMANDS["help"] = helpFor(COMMANDS);
