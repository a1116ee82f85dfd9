import { TaskView } from "../src/protocol/http.ts";
import { NULL_JSON } from "../src/base/json-text/json-text.ts";

const AT = "2026-01-02T03:04:05.006Z";

/** A task as the HTTP API returns it. */
export const aTaskView = ({
  payload = NULL_JSON,
  result = NULL_JSON,
  ...changes
}: Partial<TaskView> & Pick<TaskView, "id" | "state">): TaskView => ({
  ...TaskView.parse({
    kind: "echo",
    source: "peer",
    requirements: {},
    priority: 0,
    created_at: AT,
    not_before: AT,
    deadline_at: AT,
    ended_at: null,
    max_attempts: 5,
    backoff: {},
    lease_seconds: 60,
    peer_id: null,
    progress: null,
    message: null,
    error: null,
    attempts: [],
    ...changes,
  }),
  payload,
  result,
});
