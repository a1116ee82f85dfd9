import type { StorageView } from "../../../../src/protocol/http.ts";
import { bytes, percent } from "../../model/format.ts";
import { Meter } from "../../ui/meter.tsx";
import { Panel } from "../../ui/page.tsx";

const TONES = { ok: "accent", making_room: "warn", full: "bad" } as const;

/** How full the database is. */
export const Storage = ({ storage }: { readonly storage: StorageView }) => {
  const { used_bytes: used, limit_bytes: limit, state } = storage;
  return (
    <Panel title="Database" aside={<span class="quiet figure">{percent(used / limit)} full</span>}>
      <Meter share={used / limit} tone={TONES[state]} />
      <p class="quiet">
        {bytes(used)} of {bytes(limit)}. Above {bytes(storage.removes_above_bytes)} the oldest ended
        tasks are removed.
      </p>
    </Panel>
  );
};
