/** What a mesh costs on Cloudflare, estimated from its metrics. docs/performance.md has the figures for a task, and the prices. */
import type { CostsView } from "../protocol/http.ts";
import type { MetricName } from "./catalog.ts";
import type { MetricSnapshot } from "./snapshot.ts";

/** List prices in dollars. */
const PRICES_OF = "2026-11-28";
const MILLION = 1_000_000;
const WORKER_REQUEST = 0.3 / MILLION;
const OBJECT_REQUEST = 0.15 / MILLION;
const KV_WRITE = 5 / MILLION;
const STORAGE_GB_MONTH = 0.2;
/** As measured for tasks that are submitted singly: 18.1 rows written, and the rest. In batches it is less. */
const TASK = 19.1 / MILLION;
/** An idle peer over muster.2, whose session hibernates. */
const PEER_MONTH = 0.007;

const NOT_INCLUDED = [
  "the duration of the objects, except for tasks",
  "CPU time of the Worker",
  "rows that other changes than those of tasks write",
  "sessions that do not hibernate: go-p2p and dialed peers",
  "reads of KV and of rows",
  "the plan, and what it includes for free",
];

/** How a command reaches the coordinator, besides those of tasks: with a request to the Worker, or by a call between objects. */
export type CommandCost = "request" | "call" | "in_task";

/** `billed`: whether the mesh runs on Cloudflare. */
export function costsOf(
  metrics: MetricSnapshot,
  commandCost: (command: string) => CommandCost,
  billed: boolean,
): CostsView {
  const commands = { request: 0, call: 0, in_task: 0 };
  for (const { command, count } of commandCounts(metrics)) commands[commandCost(command)] += count;
  const counted = [
    { item: "tasks", quantity: sumOf(metrics, "muster_tasks_submitted"), price: TASK },
    { item: "requests", quantity: commands.request, price: WORKER_REQUEST + OBJECT_REQUEST },
    { item: "calls", quantity: commands.call, price: OBJECT_REQUEST },
    { item: "kv_writes", quantity: sumOf(metrics, "muster_kv_writes"), price: KV_WRITE },
  ] as const;
  const current = [
    { item: "connected_peers", quantity: connectedPeers(metrics), price: PEER_MONTH },
    {
      item: "storage_gb",
      quantity: sumOf(metrics, "muster_storage_used_bytes") / 1e9,
      price: STORAGE_GB_MONTH,
    },
  ] as const;
  return {
    billed,
    prices_of: PRICES_OF,
    so_far: totalOf(counted),
    monthly: totalOf(current),
    not_included: NOT_INCLUDED,
  };
}

interface Priced<Item extends string> {
  readonly item: Item;
  readonly quantity: number;
  readonly price: number;
}

function totalOf<Item extends string>(priced: readonly Priced<Item>[]) {
  const items = priced.map(({ item, quantity, price }) => ({
    item,
    quantity,
    dollars: quantity * price,
  }));
  return { dollars: items.reduce((sum, { dollars }) => sum + dollars, 0), items };
}

const valuesOf = (metrics: MetricSnapshot, name: MetricName) =>
  (metrics.get(name) ?? []).flatMap((sample) => ("value" in sample ? [sample] : []));

const sumOf = (metrics: MetricSnapshot, name: MetricName): number =>
  valuesOf(metrics, name).reduce((sum, { value }) => sum + value, 0);

const commandCounts = (metrics: MetricSnapshot) =>
  valuesOf(metrics, "muster_commands").map(({ labels, value }) => ({
    command: labels[0] ?? "",
    count: value,
  }));

const connectedPeers = (metrics: MetricSnapshot): number =>
  valuesOf(metrics, "muster_peers")
    .filter(({ labels }) => labels.includes("active") || labels.includes("suspect"))
    .reduce((sum, { value }) => sum + value, 0);
