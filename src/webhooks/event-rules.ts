import type { Result } from "../base/result.ts";
import type {
  DeliveryIdentity,
  EventMapping,
  SignatureHeader,
  WebhookFilter,
  WebhookScheme,
} from "../protocol/http.ts";
import { filteredPaths } from "./filter.ts";
import { identityPaths } from "./identity.ts";
import { mappedPaths } from "./mapping.ts";
import type { JsonPath } from "./json-path.ts";
import { EventReader } from "./selection/event-reader.ts";
import type { SelectedValues } from "./selection/json-selector.ts";
import { pathTree, type WantedPaths } from "./selection/path-tree.ts";
import { challengePaths } from "./slack.ts";

/** The part of a source that decides what a delivery becomes. */
export interface EventRules {
  readonly scheme: WebhookScheme;
  readonly signature?: SignatureHeader | null | undefined;
  readonly mapping: EventMapping;
  readonly filters: readonly WebhookFilter[];
  readonly identity: DeliveryIdentity | null;
}

/** What the rules read of an event. Nothing else of a large one is kept. */
export const wantedPaths = (rules: EventRules): WantedPaths => ({
  mapped: mappedPaths(rules.mapping),
  compared: [
    ...filteredPaths(rules.filters),
    ...identityPaths(rules),
    ...(rules.scheme === "slack" ? challengePaths : []),
  ],
});

/** What the rules read of the event in a body that comes in parts. */
export const eventReaderOf = (rules: EventRules): EventReader =>
  new EventReader(rules.scheme, pathTree(wantedPaths(rules)));

const ROOT: JsonPath = { text: "$", segments: [] };

/** The event in a body that is there as a whole, which is itself selected, too: to be shown. */
export function readWhole(rules: EventRules, body: Uint8Array): Result<SelectedValues, string> {
  const { mapped, compared } = wantedPaths(rules);
  const reader = new EventReader(rules.scheme, pathTree({ mapped: [...mapped, ROOT], compared }));
  reader.write(body);
  return reader.finish();
}
