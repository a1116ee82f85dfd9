import { similarTo } from "../../base/edit-distance.ts";
import { handlesKind } from "../../protocol/messages.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Roster } from "../../registry/roster.ts";
import type { Rule, RuledOut } from "../../tasks/stored-choice.ts";

/** Number of other kinds that a reason names. */
const KINDS_NAMED = 5;

/** The peers that are known here. */
type Here = Pick<Registry, "roster" | "cells">;

/** Why a queued task that no peer can take now waits, in words. In a mesh of several cells only the peers of this one are known here. */
export function waitingReason({ roster, cells }: Here, kind: string, ruledOut: RuledOut): string {
  const handled = handledKinds(roster);
  const where = cells.isSingle ? "" : ` in cell ${cells.own}`;
  if (!handlesKind([...handled.keys()], kind)) return unhandled(`${kind}${where}`, kind, handled);
  const rules = Object.entries(ruledOut) as [Rule, number][];
  const parts = rules
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([rule, count]) => `${count} ${RULE_WORDS[rule]}`);
  return `no connected peer can take it now${where}: ${parts.join(", ")}`;
}

/** How many connected peers that run tasks announce each kind. */
function handledKinds(roster: Roster): ReadonlyMap<string, number> {
  const peers = new Map<string, number>();
  for (const { traits, members } of roster.census()) {
    if (traits.role === "controller") continue;
    for (const kind of traits.kinds) peers.set(kind, (peers.get(kind) ?? 0) + members);
  }
  return peers;
}

function unhandled(what: string, kind: string, handled: ReadonlyMap<string, number>): string {
  const none = `no connected peer handles ${what}`;
  if (handled.size === 0) return none;
  const similar = similarTo(kind, [...handled.keys()]);
  const common = [...handled.keys()].toSorted(
    (a, b) => (handled.get(b) ?? 0) - (handled.get(a) ?? 0),
  );
  const named = (similar.length > 0 ? similar : common).slice(0, KINDS_NAMED);
  const counts = named.map((other) => {
    const peers = handled.get(other) ?? 0;
    return `${peers} ${peers === 1 ? "handles" : "handle"} ${other}`;
  });
  return `${none}; ${counts.join(", ")}`;
}

/** After a number of peers. */
export const RULE_WORDS: { readonly [R in Rule]: string } = {
  not_active: "not answering",
  cordoned: "cordoned or draining",
  controller: "controllers",
  other_peer_named: "not the named peer",
  avoided: "to be avoided",
  other_role: "of another role",
  kind_not_handled: "without this kind",
  capability_missing: "without a required label",
  score_too_low: "below the required score",
  refused: "that refused it a moment ago",
  others_may_return: "that connected a moment ago, when others may return with it",
  failed_here: "that failed at it",
  circuit_open: "resting after failures",
  probe_running: "being probed after failures",
  no_room: "without a free slot",
  not_looked_at: "not considered",
};
