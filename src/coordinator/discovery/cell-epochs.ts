import { MINUTE, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Before } from "../cells/cell-calls.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { epochToPublish, wantsNextEpoch } from "./epochs.ts";

/**
 * Cell 0 opens the discovery epochs, and the other cells have copies of their rows. A cell that has no open one asks cell 0 before it admits
 * a peer, which may be a member and then gets the keys.
 */
export const askForEpoch: Before<"admit"> = (cell, { protocol }) => {
  const { registry } = cell;
  if (registry.cells.own === 0 || protocol !== "muster/2") return null;
  if (!wantsNextEpoch(registry.discoveryEpochs.newest(), cell.now())) return null;
  if (cell.now() < (askedAt.get(registry) ?? 0) + PAUSE) return null;
  return async () => {
    const answer = await cell.ask(0, cell.self, "open_epoch", {});
    if (answer.ok) await cell.runHere("mesh", "learn_epochs", answer.value);
    // A peer is not kept waiting for an answer that the one before it did not get. It is admitted with the keys that there are.
    else askedAt.set(registry, cell.now());
    return null;
  };
};

const PAUSE: Millis = MINUTE;
/** When a cell asked last and got no answer. */
const askedAt = new WeakMap<Registry, Millis>();

/** In cell 0: opens the next epoch, if it may open. */
export const openEpoch: Handler<"open_epoch"> = (context) => {
  epochToPublish(context);
  return ok({ epochs: context.registry.discoveryEpochs.list() });
};

/** Adds the epochs that are newer than those of this cell. All other changes of them come by message, in their order. */
export const learnEpochs: Handler<"learn_epochs"> = ({ registry, now }, { epochs }) => {
  const { discoveryEpochs } = registry;
  for (const row of epochs) {
    const newest = discoveryEpochs.newest();
    if (newest !== null && row.epoch <= newest.epoch) continue;
    if (newest !== null) discoveryEpochs.close(newest.epoch, now);
    discoveryEpochs.insert(row);
  }
  return done;
};
