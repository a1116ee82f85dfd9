import { z } from "zod";
import { nullOr } from "../schema/null-or.ts";

const count = (description: string) => z.int().meta({ description });

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
