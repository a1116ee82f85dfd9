import { mayHoldKeys } from "../../peers/discovery-rights.ts";
import { sendAndAwait } from "../cells/send-message.ts";
import { authMode, type Context } from "../kernel/context.ts";
import { advanceEpoch } from "./epochs.ts";

/** Judges the holders of discovery keys if the command may have taken a right away. Runs after every command. */
export function judgeAfterCommand(context: Context): void {
  if (context.registry.lostRights.take()) judgeKeyHolders(context);
}

/** Judges them if the configuration is not that of the last time, after a deploy. Runs before the commands of a group. */
export function judgeAfterDeploy(context: Context): void {
  const { registry, config } = context;
  const { discoveryEpochs, settings, lostRights } = registry;
  const current = `${config.discovery.members} ${config.authMode}`;
  if (lostRights.checkedConfig === current) return;
  if (!discoveryEpochs.anyHolder() || settings.holdersJudgedUnder() === current) {
    lostRights.checkedConfig = current;
    return;
  }
  judgeKeyHolders(context);
  // Not noted in memory: this transaction may still fail.
  settings.setHoldersJudgedUnder(current);
}

/**
 * Closes every epoch whose keys someone holds who may not have them any more. From this transaction on nothing is published
 * under such an epoch, and its reader token reads nothing. The next epoch opens as soon as it may.
 *
 * Only this function decides it, for every act that takes a right away. It reads the list of holders, and not that of the
 * peers: a holder may be away, or have no record. Each cell judges the holders that got their keys there.
 */
function judgeKeyHolders(context: Context): void {
  const { registry, config, now } = context;
  const rules = { mode: authMode(context), members: config.discovery.members };
  let expelled = 0;
  for (const { epoch, standing } of registry.discoveryEpochs.holders())
    if (epoch > expelled && !mayHoldKeys(standing, rules)) expelled = epoch;
  if (expelled === 0) return;
  if (registry.cells.own !== 0) {
    // Cell 0 alone publishes, and answers readers. This cell's copy of the epoch shows that it is closed once cell 0 has closed it; until
    // then every such command sends this again, and waits for it.
    return sendAndAwait(context, 0, { type: "epoch_expelled", epoch: expelled });
  }
  registry.discoveryEpochs.expelUpTo(expelled, now);
  advanceEpoch(context);
}

/** In cell 0: another cell has found a holder that has lost its right. */
export function expelEpoch(context: Context, epoch: number): void {
  context.registry.discoveryEpochs.expelUpTo(epoch, context.now);
  advanceEpoch(context);
}
