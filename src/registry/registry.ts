import { cellTables } from "./cell-tables.ts";
import { Cells } from "./cells.ts";
import { Facts, watchFacts } from "./facts.ts";
import { kindSettingsTable } from "./kind-settings.ts";
import { OwnerLimitsCache } from "./owner-limits.ts";
import { aliasesTable } from "./aliases.ts";
import { alertDeliveriesTable } from "./alert-deliveries.ts";
import { alertsTable } from "./alerts.ts";
import { AlertWatch } from "./alert-watch.ts";
import { allowlistTable } from "./allowlist.ts";
import { denylistTable } from "./denylist.ts";
import { apiTokensTable } from "./api-tokens.ts";
import { attemptsTable } from "./attempts.ts";
import { callbackRotationsTable } from "./callback-rotations.ts";
import { auditTable, type AuditLimits } from "./audit.ts";
import { callbacksTable } from "./callbacks.ts";
import { copiesTable } from "./copies.ts";
import { coordinatesTable } from "./coordinates.ts";
import { discoveryEpochsTable } from "./discovery-epochs.ts";
import { choicesTable } from "./choices.ts";
import { circuitsTable } from "./circuits.ts";
import { advertisedPeersTable } from "./advertised-peers.ts";
import { endedOwnersTable } from "./ended-owners.ts";
import { dialsTable } from "./dials.ts";
import { idempotencyTable } from "./idempotency.ts";
import { joinKeysTable } from "./join-keys.ts";
import { taskKindsTable } from "./task-kinds.ts";
import { leftInCell } from "./left-in-cell.ts";
import { LostRights } from "./lost-rights.ts";
import { kvSharesTable } from "./kv-shares.ts";
import { kvWritesTable } from "./kv-writes.ts";
import { AUDIT_LIMITS } from "../protocol/constants.ts";
import type { MeshEvent } from "../protocol/events.ts";
import { migrate } from "./migrate.ts";
import { observedTable } from "./observed.ts";
import { connectedPlaces, type PeerPlace } from "./peer-places.ts";
import { outboxTable } from "./outbox.ts";
import { EVENT_LIMITS, EventLog, type EventLimits } from "./event-log.ts";
import { countEvent } from "./event-counts.ts";
import { EventRecorder } from "./event-recorder.ts";
import { ExportCopy } from "./export-copy.ts";
import { ImportCopy } from "./import-copy.ts";
import { MetricCounters } from "./metric-counters.ts";
import { LifetimeClock } from "./lifetime-clock.ts";
import { PeerBundles } from "./peer-bundles.ts";
import { pairRttsTable } from "./pair-rtts.ts";
import { peersTable } from "./peers.ts";
import { pointersTable } from "./pointers.ts";
import { RoomState } from "./room-state.ts";
import { Roster } from "./roster.ts";
import { resultUploadsTable } from "./result-uploads.ts";
import { serviceTimesTable } from "./service-times.ts";
import { settingsTable } from "./settings.ts";
import { Shares } from "./shares.ts";
import { correlatedFailuresTable } from "./correlated-failures.ts";
import type { Sql } from "./sql.ts";
import { SpanExportState } from "./span-export.ts";
import { spanQueueTable } from "./span-queue.ts";
import { submittersTable } from "./submitters.ts";
import { TableChanges, type TableName } from "./table-changes.ts";
import { taskSelection } from "./task-selection.ts";
import { taskResultsTable } from "./task-results.ts";
import { taskMoveTables } from "./task-move-tables.ts";
import { tasksTable } from "./tasks.ts";
import { Trims } from "./trims.ts";
import { tombstonesTable } from "./tombstones.ts";
import { unsettledBlobsTable } from "./unsettled-blobs.ts";
import { webhookDeliveriesTable } from "./webhook-deliveries.ts";
import { wrongHeldCounts } from "./held-count.ts";
import { webhookRefusalsTable } from "./webhook-refusals.ts";
import { webhookSourcesTable } from "./webhook-sources.ts";

/** The coordinator's tables: one object per table, all on one database. */
export type Registry = ReturnType<typeof openRegistry>;

/**
 * @param seed any number, preferably random, for the roster's hash table
 * @param choicesMax how many choices are kept
 * @param eventLimits how much of the event log is kept
 */
export function openRegistry(
  sql: Sql,
  seed = 0,
  auditLimits: AuditLimits = AUDIT_LIMITS,
  choicesMax = 100_000,
  eventLimits: EventLimits = EVENT_LIMITS,
) {
  migrate(sql);
  const changes = new TableChanges();
  const on = (table: TableName): Sql => changes.watch(sql, table);
  /** For tables whose rows have a lifetime. */
  const lasting = changes.watch(sql, "lifetimes");
  const cells = new Cells(on("settings"));
  const watchedFacts = watchFacts(changes, sql, lasting);
  const facts = new Facts(sql, watchedFacts, cells);
  const recorder = new EventRecorder();
  const metrics = new MetricCounters(sql);
  const alertWatch = new AlertWatch(() => changes.mark("alerts"));
  const record = (event: MeshEvent): void => {
    recorder.record(event);
    countEvent(metrics, event);
    alertWatch.happened(event);
  };
  const events = new EventLog(sql, recorder, eventLimits, (commits) =>
    metrics.count("muster_event_log_dropped_commits", [], commits),
  );
  const peers = peersTable(on("peers"), (id, peer) => roster.update(id, peer), record);
  const roster = new Roster(
    peers,
    seed,
    (id) => tasks.waiting.isWaitedFor(id),
    () => changes.mark("peers"),
  );
  const observed = observedTable(sql);
  const serviceTimes = serviceTimesTable(sql);
  const kinds = taskKindsTable(lasting);
  const choices = choicesTable(lasting, choicesMax);
  const circuits = circuitsTable(
    changes.watch(lasting, "circuits"),
    () => changes.mark("circuits"),
    record,
  );
  const shares = new Shares(choices);
  const tasks = tasksTable(
    changes.watch(lasting, "tasks"),
    (id) => roster.update(id, peers.get(id)),
    { isOn: () => events.isOn, record },
  );
  const kindSettings = kindSettingsTable(watchedFacts.kind_settings, { facts, cells });
  const ownerLimits = new OwnerLimitsCache(sql);
  const lostRights = new LostRights();
  const [onLimits, onLoss] = [() => ownerLimits.forgetAll(), () => lostRights.note()];
  const taskResults = taskResultsTable(sql);
  const taskMoves = taskMoveTables(sql, changes, lasting);
  const callbacks = callbacksTable(on("callbacks"));
  const apiTokens = apiTokensTable(watchedFacts.api_tokens, { onLimits, onLoss, facts });
  const submitters = submittersTable(lasting);
  const pointers = pointersTable(on("pointers"));
  const exportCopy = new ExportCopy(sql, () => changes.mark("exportCopy"));
  const importCopy = new ImportCopy(sql, () => changes.mark("importCopy"));
  const peerBundles = new PeerBundles(
    changes.watch(lasting, "peers"),
    { peers, observed, serviceTimes, circuits },
    onLimits,
  );
  const settings = settingsTable(watchedFacts.settings, { onLoss, facts });
  const ofCells = cellTables(sql, on, settings.restoredAt);
  const endedOwners = endedOwnersTable(changes.watch(lasting, "endedOwners"), facts);
  const measured = [
    apiTokens.kept,
    peers.kept,
    observed.kept,
    serviceTimes.kept,
    kinds.kept,
    circuits.kept,
    choices.pending,
    metrics,
  ];
  // The roster reads changed peers again, so the caches must be rolled back first.
  const undoable = [
    ...measured,
    cells,
    facts,
    tasks.kept,
    tasks.waiting,
    tasks.running,
    tasks.shares,
    tasks.ownerBytes,
    ...kindSettings.kept,
    ownerLimits,
    taskResults.kept,
    taskMoves.taskForwards.kept,
    ofCells.peerMoves.kept,
    callbacks.kept,
    endedOwners.kept,
    submitters.kept,
    pointers.counts,
    apiTokens.validUntil,
    circuits.resting,
    importCopy.kept,
    recorder,
    events,
    alertWatch,
    roster,
  ];

  /**
   * The first transaction corrects what the last crash has lost. Opening writes nothing: on a full disk reads go on, and a write that
   * cannot be committed would take them with it.
   */
  let isCorrected = false;
  function correct(): void {
    if (isCorrected) return;
    isCorrected = true;
    for (const [id, held] of wrongHeldCounts(sql)) {
      const peer = peers.get(id);
      if (peer !== null) peers.measured({ ...peer, held });
    }
  }

  /** A transaction. When it fails, the caches in memory are rolled back, too. */
  function transaction<T>(body: () => T): T {
    for (const each of undoable) each.begin();
    try {
      const value = sql.transaction(() => {
        correct();
        return body();
      });
      for (const each of undoable) each.commit();
      return value;
    } catch (thrown) {
      for (const each of undoable) each.rollback();
      isCorrected = false;
      shares.forget();
      throw thrown;
    }
  }

  return {
    transaction,
    changes,
    /** Bytes that the database uses, without the copy of an export. */
    size: () => sql.size() - exportCopy.bytes,
    exportCopy,
    importCopy,
    lifetimes: new LifetimeClock(),
    room: new RoomState(() => changes.mark("room")),
    measurements: {
      /** Whether any measurement is only in memory. */
      arePending: (): boolean => measured.some(({ unwritten }) => unwritten > 0),
      flush: (): void => transaction(() => measured.forEach((kept) => kept.flush())),
    },
    settings,
    cells,
    ...ofCells,
    /** What the whole mesh has in common, which cell 0 decides. */
    facts,
    peerBundles,
    leftInCell: () => leftInCell(sql),
    metrics,
    /** What was committed, for those who follow it. */
    events,
    peers,
    roster,
    allowlist: allowlistTable(sql, { onLimits, onLoss, record }),
    denylist: denylistTable(sql, onLoss, record),
    tasks,
    taskSelection: taskSelection(sql),
    attempts: attemptsTable(sql),
    taskResults,
    ...taskMoves,
    resultUploads: resultUploadsTable(on("resultUploads")),
    idempotency: idempotencyTable(lasting),
    webhookSources: webhookSourcesTable(sql, { onLimits, facts }),
    discoveryEpochs: discoveryEpochsTable(watchedFacts.discovery_epochs, facts),
    webhookDeliveries: webhookDeliveriesTable(lasting),
    webhookRefusals: webhookRefusalsTable(lasting),
    pointers,
    copies: copiesTable(on("copies")),
    unsettledBlobs: unsettledBlobsTable(on("unsettledBlobs")),
    kvWrites: kvWritesTable(lasting, (writes) => metrics.count("muster_kv_writes", [], writes)),
    kvShares: kvSharesTable(lasting),
    outbox: outboxTable(on("outbox")),
    callbacks,
    callbackRotations: callbackRotationsTable(sql, facts),
    spanQueue: spanQueueTable(on("spanQueue")),
    spanExport: new SpanExportState(() => changes.mark("spanQueue")),
    alerts: alertsTable(on("alerts"), cells, record),
    alertDeliveries: alertDeliveriesTable(on("alertDeliveries")),
    alertWatch,
    apiTokens,
    endedOwners,
    submitters,
    ownerLimits,
    lostRights,
    kindSettings,
    joinKeys: joinKeysTable(lasting),
    aliases: aliasesTable(lasting),
    audit: auditTable(lasting, auditLimits),
    tombstones: tombstonesTable(lasting),
    trims: new Trims(),
    coordinates: coordinatesTable(sql),
    pairRtts: pairRttsTable(sql),
    correlatedFailures: correlatedFailuresTable(changes.watch(lasting, "correlatedFailures")),
    advertisedPeers: advertisedPeersTable(lasting),
    dials: dialsTable(on("dials")),
    observed,
    /** Where the connected peers are, by ID. */
    connectedPlaces(limit: number): readonly PeerPlace[] {
      peers.kept.flush();
      observed.kept.flush();
      return connectedPlaces(sql, limit);
    },
    serviceTimes,
    kinds,
    shares,
    choices,
    circuits,
  };
}
