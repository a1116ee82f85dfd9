import type { TaskView } from "../../../../src/protocol/http.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { useData } from "../data.ts";

interface TaskActionsProps {
  readonly task: TaskView;
  readonly onDone: () => void;
}

const CANCELLABLE: readonly string[] = ["queued", "leased", "running"];
const RETRYABLE: readonly string[] = ["failed", "expired", "cancelled"];

export const TaskActions = ({ task, onDone }: TaskActionsProps) => {
  const { api } = useData().session;
  const [dialog, confirm] = useConfirm();
  const path = `/v1/tasks/${encodeURIComponent(task.id)}`;
  const canRepeat = task.ended_at !== null && task.callback !== null;
  return (
    <>
      {CANCELLABLE.includes(task.state) && (
        <Button
          kind="danger"
          onClick={() =>
            confirm({
              title: "Cancel this task?",
              body: <p>A peer that runs it is told to stop. It can be retried later.</p>,
              action: "Cancel the task",
              danger: true,
              run: async () => {
                await api.send("DELETE", path);
                onDone();
                return "The task is cancelled.";
              },
            })
          }
        >
          Cancel
        </Button>
      )}
      {RETRYABLE.includes(task.state) && !task.payload_dropped && (
        <Button
          kind="primary"
          onClick={() =>
            confirm({
              title: "Retry this task?",
              body: <p>It goes back into the queue, with its attempts and its deadline anew.</p>,
              action: "Retry",
              run: async () => {
                await api.send("POST", `${path}/retry`, { json: {} });
                onDone();
                return "The task is back in the queue.";
              },
            })
          }
        >
          Retry
        </Button>
      )}
      {canRepeat && (
        <Button
          onClick={() =>
            confirm({
              title: "Send the callback again?",
              body: <p>The receiver gets the event of the task's end once more.</p>,
              action: "Send",
              run: async () => {
                await api.send("POST", `${path}/callback`);
                onDone();
                return "The callback is being sent.";
              },
            })
          }
        >
          Repeat the callback
        </Button>
      )}
      {dialog}
    </>
  );
};
