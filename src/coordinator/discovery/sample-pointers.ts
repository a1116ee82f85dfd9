import { ok } from "../../base/result.ts";
import { SAMPLE_POINTERS_MAX } from "../../protocol/constants.ts";
import { newOpaqueId, type PeerId } from "../../protocol/ids.ts";
import type { Before } from "../cells/cell-calls.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";

/** IDs of pointers of a few active peers except the asking one, drawn at random. */
export function sampleFor({ registry, now, randomBytes }: Context, peerId: PeerId) {
  const places = Array.from({ length: SAMPLE_POINTERS_MAX }, () => newOpaqueId(randomBytes));
  return registry.pointers.sample(places, now, peerId);
}

export const samplePointers: Handler<"sample_pointers"> = (context, { peerId }) =>
  ok({ pointers: sampleFor(context, peerId) });

/** A peer of another cell than cell 0, which has the pointers, advertises others. Without an answer of cell 0, the sample is empty. */
export const hearAdvertElsewhere: Before<"hear_advert"> = (cell, input, actor) => {
  if (cell.registry.cells.own === 0) return null;
  return async () => {
    const heard = await cell.runHere(actor, "hear_advert", input);
    if (!heard.ok) return heard;
    const sample = await cell.ask(0, cell.self, "sample_pointers", { peerId: input.peerId });
    return sample.ok ? sample : heard;
  };
};
