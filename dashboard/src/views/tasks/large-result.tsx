import { useState } from "preact/hooks";
import type { TaskView } from "../../../../src/protocol/http.ts";
import { messageOf } from "../../api/api-error.ts";
import { bytes, shortId } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { useData } from "../data.ts";

/** A result that is too large for the page: it is saved as a file. */
export const LargeResult = ({ task }: { readonly task: TaskView }) => {
  const { api } = useData().session;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const text = await api.text("GET", `/v1/tasks/${encodeURIComponent(task.id)}/result`);
      const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `result-${shortId(task.id)}.json`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (failed) {
      setError(messageOf(failed));
    }
    setBusy(false);
  };
  return (
    <>
      <p class="quiet">
        It has {bytes(task.result_bytes ?? 0)}
        {task.result_sealed && ", and is sealed"}.
      </p>
      {error !== null && <p class="error">{error}</p>}
      <div class="actions">
        <Button busy={busy} onClick={() => void save()}>
          Save as a file
        </Button>
      </div>
    </>
  );
};
