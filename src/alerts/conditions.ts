import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import type { AlertSubject, AlertType } from "../protocol/alert-types.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Condition } from "./alert.ts";
import { cellConditions, type CellConditionFacts } from "./cell-conditions.ts";
import { duration, secondsSince } from "./condition-text.ts";
import { massFailure, type LostPeer } from "./mass-failure.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** A circuit that is not closed. */
export interface OpenCircuit {
  readonly peer: PeerId;
  readonly name: string;
  /** Null for the circuit of the whole peer. */
  readonly kind: string | null;
  readonly openedAt: Millis;
}

/** What alerts are about, as it is now. */
export interface Facts {
  /** Lost peers that are watched, the longest lost first. */
  readonly lost: readonly LostPeer[];
  /** How many peers are watched and connected. */
  readonly connected: () => number;
  /** A peer whose connection breaks is back by then, if nothing is wrong with it. */
  readonly returnsWithin: Millis;
  readonly openCircuits: readonly OpenCircuit[];
  readonly storage: { readonly used: number; readonly limit: number };
  /** Since when the oldest task of each kind waits that may be offered now. */
  readonly oldest: ReadonlyMap<string, Millis>;
  /** When the first task may be offered that may not be offered yet; null if there is none. */
  readonly nextWaiting: Millis | null;
  /** How many tasks wait that may be offered now, of every kind. */
  readonly waiting: number;
  /** Other cells; none in a mesh of one cell. */
  readonly cells: CellConditionFacts;
}

/** A mass failure is stated before the peers that it consists of would be, and after those have come back that only reconnect. */
const MASS_FAILURE_AFTER: Millis = 2 * MINUTE;
/** Levels of an alert that fires, below the threshold: a value that goes up and down there is one alert. */
const STORAGE_MARGIN = 0.05;
const QUEUE_LEVEL = 0.8;

const MESH = { peer: null, kind: null, cell: null } as const;

/** Everything that is wrong, whether for long enough or not. */
export function conditionsOf(
  facts: Facts,
  thresholds: AlertThresholds,
  isFiring: (subject: AlertSubject) => boolean,
  now: Millis,
): readonly Condition[] {
  const firing = (alert: AlertType): boolean => isFiring({ alert, ...MESH });
  return [
    ...peerConditions(facts, thresholds, isFiring, now),
    ...circuitConditions(facts, thresholds, now),
    ...storageConditions(facts, thresholds, firing("storage"), now),
    ...queueConditions(facts, thresholds, firing("queue_long"), now),
    ...cellConditions(facts.cells, thresholds, now),
  ];
}

/** One alert for peers that were lost at once, and one for each other lost peer. A peer that has its own keeps it. */
function peerConditions(
  { lost, connected, returnsWithin }: Facts,
  { peerDown, massFailure: mass }: AlertThresholds,
  isFiring: (subject: AlertSubject) => boolean,
  now: Millis,
): readonly Condition[] {
  const isMass = isFiring({ alert: "mass_failure", ...MESH });
  const all = (): number => connected() + lost.length;
  const members = mass === null ? [] : massFailure(lost, mass, isMass, all);
  const found: Condition[] = [];
  const [first] = members;
  if (mass !== null && first !== undefined)
    found.push({
      alert: "mass_failure",
      ...MESH,
      since: first.lostAt,
      holdFor: Math.max(
        returnsWithin,
        Math.min(MASS_FAILURE_AFTER, peerDown ?? MASS_FAILURE_AFTER),
      ),
      value: members.length,
      threshold: mass,
      message: `${members.length} of ${all()} peers were lost at once and have not come back`,
    });
  if (peerDown === null) return found;
  const covered = new Set(members);
  for (const peer of lost) {
    const subject = { alert: "peer_down", peer: peer.id, kind: null, cell: null } as const;
    if (covered.has(peer) && !isFiring(subject)) continue;
    found.push({
      ...subject,
      since: peer.lostAt,
      holdFor: Math.max(returnsWithin, peerDown),
      value: secondsSince(peer.lostAt, now),
      threshold: peerDown / SECOND,
      message: `${peerText(peer.name, peer.id)} was lost and has not come back for ${duration(now - peer.lostAt)}`,
    });
  }
  return found;
}

const circuitConditions = (
  { openCircuits }: Facts,
  { circuitOpen }: AlertThresholds,
  now: Millis,
): readonly Condition[] =>
  circuitOpen === null
    ? []
    : openCircuits.map(({ peer, name, kind, openedAt }) => ({
        alert: "circuit_open",
        peer,
        kind,
        cell: null,
        since: openedAt,
        holdFor: circuitOpen,
        value: secondsSince(openedAt, now),
        threshold: circuitOpen / SECOND,
        message: `${peerText(name, peer)} fails too often${kind === null ? "" : ` at ${kind}`}: its circuit has been open for ${duration(now - openedAt)}`,
      }));

/** A peer for people; not every peer has a name. */
const peerText = (name: string, id: string): string =>
  name === "" ? `peer ${id}` : `peer ${name} (${id})`;

/** Whether the database is so large that an alert fires, that one which fires goes on, or neither. */
export function storageLevel(
  { used, limit }: Facts["storage"],
  { storage: threshold }: AlertThresholds,
): "fires" | "goes on" | "ends" {
  if (threshold === null || used < (threshold - STORAGE_MARGIN) * limit) return "ends";
  return used < threshold * limit ? "goes on" : "fires";
}

function storageConditions(
  { storage }: Facts,
  thresholds: AlertThresholds,
  isFiring: boolean,
  now: Millis,
): readonly Condition[] {
  const level = storageLevel(storage, thresholds);
  const { storage: threshold } = thresholds;
  if (threshold === null || level === "ends" || (level === "goes on" && !isFiring)) return [];
  const share = storage.used / storage.limit;
  const percent = Math.floor(share * 100);
  return [
    {
      alert: "storage",
      ...MESH,
      since: now,
      holdFor: 0,
      value: share,
      threshold,
      message: `the database has ${percent} % of its limit; above 90 % no task is accepted`,
    },
  ];
}

function queueConditions(
  { oldest, waiting }: Facts,
  { queueOld, queueLong }: AlertThresholds,
  isLong: boolean,
  now: Millis,
): readonly Condition[] {
  const found: Condition[] = [];
  if (queueOld !== null)
    for (const [kind, since] of oldest)
      found.push({
        alert: "queue_old",
        ...MESH,
        kind,
        since,
        holdFor: queueOld,
        value: secondsSince(since, now),
        threshold: queueOld / SECOND,
        message: `a task of kind ${kind} has waited for ${duration(now - since)}`,
      });
  if (queueLong !== null && waiting >= Math.max(1, queueLong * (isLong ? QUEUE_LEVEL : 1)))
    found.push({
      alert: "queue_long",
      ...MESH,
      since: now,
      holdFor: 0,
      value: waiting,
      threshold: queueLong,
      message: `${waiting} tasks wait`,
    });
  return found;
}
