import type { TaskView } from "../../../../src/protocol/http.ts";
import { bytes, shortId } from "../../model/format.ts";
import { Failure, useAct } from "../../ui/act.tsx";
import { Button } from "../../ui/button.tsx";
import { useData } from "../data.ts";

/** A result that is too large for the page: it is saved as a file. */
export const LargeResult = ({ task }: { readonly task: TaskView }) => {
  const { api } = useData().session;
  const save = useAct(async () => {
    const text = await api.text("GET", `/v1/tasks/${encodeURIComponent(task.id)}/result`);
    const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `result-${shortId(task.id)}.json`;
    link.click();
    URL.revokeObjectURL(url);
  });
  return (
    <>
      <p class="quiet">
        It has {bytes(task.result_bytes ?? 0)}
        {task.result_sealed && ", and is sealed"}.
      </p>
      <Failure error={save.error} />
      <div class="actions">
        <Button busy={save.busy} onClick={save.start}>
          Save as a file
        </Button>
      </div>
    </>
  );
};
