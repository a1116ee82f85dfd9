import type { Context } from "../kernel/context.ts";
import { budgetsOf } from "../storage/budgets.ts";

/** Bytes that the contents of one source's deliveries may take: the sources share what there is for all. */
const bytesPerSource = ({ registry, config }: Pick<Context, "registry" | "config">): number =>
  Math.floor(
    budgetsOf(config.storage.limit).deliveries / Math.max(1, registry.webhookSources.count()),
  );

/** Drops the contents of the source's oldest deliveries beyond its share. The deliveries stay in the list. */
export const keepContentsOf = (context: Context, source: string): void =>
  context.registry.webhookDeliveries.keepContents(source, bytesPerSource(context));

/** The same for every source: there is one more that shares. */
export function keepContentsOfAll(context: Context): void {
  for (const { name } of context.registry.webhookSources.all()) keepContentsOf(context, name);
}
