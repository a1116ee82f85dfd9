import type { Millis } from "../base/clock.ts";
import type { StoredChoice } from "../tasks/stored-choice.ts";
import { PendingRows } from "./pending-rows.ts";
import type { Given } from "./shares.ts";
import { json, minimum, number, text, type Sql } from "./sql.ts";

export interface MadeChoice {
  readonly taskId: string;
  readonly fence: number;
  readonly choice: StoredChoice;
}

/**
 * The stored inputs of each choice, by the attempt that it led to. They are written a little later, together with others.
 *
 * @param most how many are kept: the newest
 */
export function choicesTable(sql: Sql, most: number) {
  const pending = new PendingRows<MadeChoice>({
    write: ({ taskId, fence, choice }) =>
      void sql.exec(
        `INSERT INTO choices (task_id, fence, at, peer_id, choice) VALUES (?, ?, ?, ?, ?)`,
        taskId,
        fence,
        choice.at,
        choice.chosen,
        JSON.stringify(toRow(choice)),
      ),
    written: () =>
      void sql.exec(`DELETE FROM choices WHERE seq <= (SELECT MAX(seq) FROM choices) - ?`, most),
  });
  return {
    pending,

    put: (taskId: string, fence: number, choice: StoredChoice): void =>
      pending.add({ taskId, fence, choice }),

    /** The choice of an attempt; without a fence, of the newest attempt. */
    get(taskId: string, fence: number | null): { fence: number; choice: StoredChoice } | null {
      const made = pending.newest(
        (one) => one.taskId === taskId && (fence === null || one.fence === fence),
      );
      if (made !== undefined) return made;
      const row = sql.exec(
        `SELECT fence, choice FROM choices WHERE task_id = ?1 AND (?2 IS NULL OR fence = ?2) ORDER BY fence DESC LIMIT 1`,
        taskId,
        fence,
      )[0];
      return row === undefined
        ? null
        : { fence: number(row, "fence"), choice: fromRow(json(row, "choice")) };
    },

    newest(limit: number): readonly Given[] {
      pending.flush();
      return sql
        .exec(`SELECT peer_id, at FROM choices ORDER BY seq DESC LIMIT ?`, limit)
        .map((row) => ({ peerId: text(row, "peer_id"), at: number(row, "at") }));
    },

    /**
     * Removes choices made before this, at most so many. Rows are almost in the order of their times, so no index by time is
     * needed: it ends at the first row that is kept.
     */
    prune(before: Millis, limit: number): void {
      pending.flush();
      sql.exec(
        `DELETE FROM choices WHERE seq IN (SELECT seq FROM choices ORDER BY seq LIMIT ?2) AND seq < COALESCE(
           (SELECT seq FROM (SELECT seq, at FROM choices ORDER BY seq LIMIT ?2) WHERE at >= ?1 ORDER BY seq LIMIT 1),
           (SELECT MAX(seq) + 1 FROM choices))`,
        before,
        limit,
      );
    },

    /** When the first stored choice was made. */
    oldest: (): Millis | null =>
      minimum(sql, `SELECT (SELECT at FROM choices ORDER BY seq LIMIT 1) AS at`),
  };
}

/** A choice as rows of every version hold it: the names of its draws are older than those in the code. */
interface ChoiceRow extends Omit<StoredChoice, "draws"> {
  readonly draws: { readonly lot: number; readonly venture: number };
}

const toRow = ({ draws, ...rest }: StoredChoice): ChoiceRow => ({
  ...rest,
  draws: { lot: draws.tieBreak, venture: draws.exploration },
});

const fromRow = ({ draws, ...rest }: ChoiceRow): StoredChoice => ({
  ...rest,
  draws: { tieBreak: draws.lot, exploration: draws.venture },
});
