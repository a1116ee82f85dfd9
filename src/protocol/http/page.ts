import { z } from "zod";
import { PAGE_DEFAULT, PAGE_MAX } from "../constants.ts";
import { queryInt } from "./query-number.ts";

/** A cursor of many cells, each of which has a place of its own, is that long. */
const CURSOR_CHARS_MAX = 4_096;

export const Page = z.strictObject({
  limit: queryInt(1, PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z
    .string()
    .max(CURSOR_CHARS_MAX)
    .optional()
    .meta({ description: "`next_cursor` of the previous page" }),
});

export const NextCursor = z.string().nullable().meta({ description: "Null on the last page" });

/** What the other cells know is in the answer. */
export const MissingCells = z.array(z.int()).optional().meta({
  description:
    "The cells of the mesh that did not answer. What they have is not in this answer. Absent when every cell has answered",
});

export const Time = z.iso.datetime().meta({ description: "RFC 3339, UTC" });

/** For requests that end the tasks of an owner. */
export const KeepTasksQuery = z.strictObject({
  keep_tasks: z.enum(["true", "false"]).default("false").meta({
    description:
      "Leaves the tasks that the owner caused, and their callbacks; otherwise they are cancelled, also those that peers run",
  }),
});

export const Label = z.string().max(200).default("").meta({ description: "A label for people" });
