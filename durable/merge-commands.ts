import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";

/**
 * Sends the commands of one batch. An attempt that is accepted and finished in the same batch is one change: its acceptance is
 * not sent, and has no answer (null).
 */
export async function sendMerged(
  commands: readonly SessionCommand[],
  send: (commands: readonly SessionCommand[]) => Promise<readonly SessionAnswer[]>,
): Promise<readonly (SessionAnswer | null)[]> {
  const finished = new Set(commands.flatMap(finishedAttempt));
  const isSent = (command: SessionCommand): boolean =>
    command.name !== "accept_task" ||
    !finished.has(attemptKey(command.input.taskId, command.input.fence));
  const sent = commands.filter(isSent);
  const answers = (await send(sent)).values();
  return commands.map((command) => (isSent(command) ? (answers.next().value ?? null) : null));
}

const finishedAttempt = (command: SessionCommand): readonly string[] =>
  command.name === "finish_task"
    ? [attemptKey(command.input.outcome.task_id, command.input.outcome.fence)]
    : [];

const attemptKey = (taskId: string, fence: number): string => `${taskId} ${fence}`;
