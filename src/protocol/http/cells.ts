import { z } from "zod";
import { nullOr } from "../schema/null-or.ts";

const count = (description: string) => z.int().meta({ description });

/** Messages that another cell has not taken. */
const WaitingMessages = z.object({
  cell: count("The cell that they are for"),
  messages: count("How many wait"),
  oldest_wait_seconds: z.number().meta({ description: "How long the oldest has waited" }),
  first: z.string().meta({
    description: "The type of the first one. The others wait until it is taken",
  }),
});

/** What a draining cell still has. */
const LeftInCell = z.object({
  peers: count("Peers, and entries of the lists of keys, that other cells do not have yet"),
  open_tasks: count("Tasks that have not ended"),
  ended_tasks: count("Ended tasks, which stay until their retention is over"),
  keys: count("Idempotency keys, which stay for 30 days"),
  forwards: count("Tasks that went to other cells, and where they went"),
  uploads: count("Results that peers began to upload"),
  deliveries: count("Webhook deliveries, which stay for 7 days"),
  audit: count("Entries of the audit log, which cell 0 gets"),
  messages: count("Messages that other cells have not taken"),
});

/** What a cell has, and what it still has to give away. */
const CellFigures = z.object({
  topology_version: count("The version of the topology that the cell knows"),
  peers: z.object({
    connected: count("Peers that are connected"),
    known: count("Peers with a record in this cell"),
  }),
  tasks: z.object({
    waiting: count("Queued tasks"),
    running: count("Tasks that peers hold"),
  }),
  database: z.object({
    used_bytes: count("Size of the cell's database, without free pages"),
    limit_bytes: count("`STORAGE_LIMIT_MB`"),
  }),
  messages: count("Messages for other cells that were not taken yet"),
  waiting: z
    .array(WaitingMessages)
    .optional()
    .meta({ description: "The cells that they are for; absent when none waits" }),
  left: LeftInCell.optional().meta({
    description:
      "What a draining cell still has: it is removed once all of these are 0. Absent of any other cell",
  }),
  moving: z.object({
    cells: count("Cells from which not everything has moved that belongs to this one"),
    peers: count(
      "Peers, and entries of the lists of keys, that were still in them at the last look",
    ),
  }),
});
export type CellFigures = z.infer<typeof CellFigures>;

const CELL_STATES = ["active", "draining", "removed"] as const;

export const CellView = z
  .object({
    cell: count("The number of the cell"),
    state: z.enum(CELL_STATES).meta({
      description:
        "`active`: has its share of peers and tasks; `draining`: gets no more, and gives away what it has; `removed`: has nothing",
    }),
    answers: z
      .boolean()
      .meta({ description: "Whether the cell answers; a removed one is not asked" }),
    figures: nullOr(CellFigures).meta({ description: "Null of a cell that does not answer" }),
  })
  .meta({ id: "Cell" });
export type CellView = z.infer<typeof CellView>;

export const CellsView = z
  .object({
    wanted: count("How many cells the operator wants (`CELLS`)"),
    topology_version: count(
      "The version of the topology, which grows with every change; 0: there always was one cell",
    ),
    changing: z.boolean().meta({
      description:
        "Whether a change of the number of cells is in progress: a cell drains, does not know the newest topology, or waits for peers and keys of another cell",
    }),
    cells: z.array(CellView).meta({ description: "All cells, by their numbers" }),
  })
  .meta({ id: "CellList" });
export type CellsView = z.infer<typeof CellsView>;

export const ReadyView = z
  .object({
    status: z.literal("ready"),
    missing_cells: z.array(z.int()).optional().meta({
      description:
        "In a mesh of several cells: those that do not answer. Their peers and tasks wait; those of the others go on",
    }),
  })
  .meta({ id: "Readiness" });
