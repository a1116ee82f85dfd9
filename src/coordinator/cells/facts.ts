import { ok } from "../../base/result.ts";
import { liveCells } from "../../cells/topology.ts";
import type { CellMessage } from "../../contract/cell-messages.ts";
import {
  FACT_TABLE_NAMES,
  FACT_TABLES,
  type FactChange,
  type FactTable,
} from "../../registry/fact-tables.ts";
import { number, text, type SqlRow } from "../../registry/sql.ts";
import type { AuthMode } from "../../protocol/http.ts";
import { followAuthMode } from "../admission/membership.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { endOwner, readmitOnceEnded } from "../tasks/end-owner.ts";
import { keepContentsOfAll } from "../webhooks/delivery-contents.ts";

export const getFacts: Handler<"get_facts"> = ({ registry }, { from }) =>
  ok({ version: registry.facts.version ?? 0, ...registry.facts.page(from) });

export const getFactsVersion: Handler<"get_facts_version"> = ({ registry }) =>
  ok({ version: registry.facts.version ?? 0 });

/**
 * Takes changes of facts from cell 0. If they do not follow on what this cell knows, it has to learn all facts anew before it serves
 * anybody.
 */
export function takeFacts(
  context: Context,
  { after, version, changes }: Extract<CellMessage, { type: "facts" }>,
): void {
  const { facts } = context.registry;
  const known = facts.version;
  if (known !== null && version <= known) return;
  if (known !== after) return facts.forgetAll(version);
  for (const change of changes) take(context, change);
  facts.setVersion(version);
}

/** Learns all facts of a version: what is not among them is removed. */
export const learnFacts: Handler<"learn_facts"> = (context, { version, changes }) => {
  const { facts } = context.registry;
  if (facts.version !== null && version <= facts.version) return ok({ learned: true });
  if (version < facts.neededVersion) return ok({ learned: false });
  for (const table of FACT_TABLE_NAMES) {
    const own = changes.filter((change) => change.table === table);
    const kept = new Set(own.map(({ key }) => JSON.stringify(key)));
    for (const key of facts.keys(table))
      if (!kept.has(JSON.stringify(key))) take(context, { table, key, row: null });
    for (const change of own) take(context, change);
  }
  facts.setVersion(version);
  return ok({ learned: true });
};

function take(context: Context, change: FactChange): void {
  const before = context.registry.facts.read(change.table, change.key);
  if (!isSame(change, before)) TAKE[change.table](context, change, before);
}

const isSame = ({ table, row }: FactChange, before: SqlRow | null): boolean =>
  row === null || before === null
    ? row === before
    : FACT_TABLES[table].copied.every((column) => (row[column] ?? null) === before[column]);

type Take = (context: Context, change: FactChange, before: SqlRow | null) => void;

const justWrite: Take = ({ registry }, change) => registry.facts.write(change);

/** What follows from a change in this cell: the same as in cell 0 from the command. */
const TAKE: Readonly<Record<FactTable, Take>> = {
  settings(context, change) {
    if (change.row === null) context.registry.facts.write(change);
    else context.registry.settings.setAuthMode(text(change.row, "value") as AuthMode);
    followAuthMode(context);
  },
  api_tokens(context, change) {
    context.registry.facts.write(change);
    context.registry.apiTokens.wroteCopy(String(change.key[0]));
    markWorkAvailable(context);
  },
  webhook_sources(context, change, before) {
    const { registry } = context;
    const name = String(change.key[0]);
    // A source of the same name with another ID is another source.
    if (before !== null && before["id"] !== change.row?.["id"]) {
      registry.facts.write({ ...change, row: null });
      registry.webhookDeliveries.removeOf(name);
      registry.webhookRefusals.removeOf(name);
    }
    if (change.row !== null) registry.facts.write(change);
    registry.ownerLimits.forgetAll();
    if (before === null) keepContentsOfAll(context);
    markWorkAvailable(context);
  },
  kind_settings(context, change) {
    context.registry.facts.write(change);
    context.registry.kindSettings.wroteCopy(String(change.key[0]));
    markWorkAvailable(context);
  },
  callback_rotations: justWrite,
  discovery_epochs: justWrite,
  ended_owners(context, { key: [owner], row }) {
    if (row === null) readmitOnceEnded(context, String(owner));
    else {
      // Cell 0 tells all of them.
      const told = liveCells(context.registry.cells.topology);
      endOwner(context, String(owner), { endedAt: number(row, "ended_at"), told });
    }
  },
};
