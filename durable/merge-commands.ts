import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";

/**
 * Sends the commands of one batch. An attempt that is accepted and finished in the same batch is one change: its acceptance is
 * not sent, and has no answer (null); its result says when the attempt began.
 */
export async function sendMerged(
  commands: readonly SessionCommand[],
  send: (commands: readonly SessionCommand[]) => Promise<readonly SessionAnswer[]>,
): Promise<readonly (SessionAnswer | null)[]> {
  const finished = new Set(commands.filter(isFinish).map(finishedAttempt));
  const begunAt = new Map<string, number | undefined>();
  const isMerged = (command: SessionCommand): boolean =>
    command.name === "accept_task" && finished.has(acceptedAttempt(command));
  for (const command of commands)
    if (command.name === "accept_task" && command.input.queued !== true)
      begunAt.set(acceptedAttempt(command), command.input.at);
  const sent = commands
    .filter((command) => !isMerged(command))
    .map((command) =>
      isFinish(command)
        ? {
            ...command,
            input: { ...command.input, begunAt: begunAt.get(finishedAttempt(command)) },
          }
        : command,
    );
  const answers = (await send(sent)).values();
  return commands.map((command) => (isMerged(command) ? null : (answers.next().value ?? null)));
}

type Accept = Extract<SessionCommand, { readonly name: "accept_task" }>;
type Finish = Extract<SessionCommand, { readonly name: "finish_task" }>;

const isFinish = (command: SessionCommand): command is Finish => command.name === "finish_task";

const acceptedAttempt = ({ input: { taskId, fence } }: Accept): string => `${taskId} ${fence}`;

const finishedAttempt = ({ input: { outcome } }: Finish): string =>
  `${outcome.task_id} ${outcome.fence}`;
