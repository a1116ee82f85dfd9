import type { AuthMode } from "../../../../src/protocol/http.ts";
import { mayAdminister } from "../../api/session.ts";
import { useQuery } from "../../live/use-query.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm } from "../../ui/confirm.tsx";
import { Loading, Panel } from "../../ui/page.tsx";
import { useData } from "../data.ts";

const PAUSE_MS = 5_000;
const PATH = "/v1/auth-mode";

const ABOUT: Readonly<Record<AuthMode, string>> = {
  allowlist: "Only listed keys and holders of a join key may join.",
  open: "Any peer may join, gets tasks with their payloads, and answers them with any result.",
};

export const AuthModePanel = () => {
  const { api, caller } = useData().session;
  const { value, error, refresh } = useQuery<{ readonly mode: AuthMode }>(PATH, {}, PAUSE_MS);
  const [dialog, confirm] = useConfirm();
  if (value === null)
    return (
      <Panel title="Who may join">
        <Loading error={error} />
      </Panel>
    );

  const set = async (mode: AuthMode): Promise<void> => {
    await api.send("PUT", PATH, { json: { mode } });
    refresh();
  };
  const isOpen = value.mode === "open";
  return (
    <Panel
      title="Who may join"
      aside={
        mayAdminister(caller) && (
          <Button
            kind={isOpen ? "plain" : "danger"}
            onClick={() =>
              isOpen
                ? confirm({
                    title: "Close the mesh?",
                    body: (
                      <p>From now on only listed keys may join. Sessions of other peers end.</p>
                    ),
                    action: "Close",
                    run: async () => {
                      await set("allowlist");
                      return "Only listed keys may join.";
                    },
                  })
                : confirm({
                    title: "Open the mesh to every key?",
                    body: <p>{ABOUT.open}</p>,
                    action: "Open",
                    danger: true,
                    run: async () => {
                      await set("open");
                      return "Every peer may join.";
                    },
                  })
            }
          >
            {isOpen ? "Close it" : "Open it"}
          </Button>
        )
      }
    >
      <p>
        <span class={`state tone-${isOpen ? "warn" : "ok"}`}>
          <strong>{isOpen ? "Open" : "Allowlist"}</strong>
        </span>
      </p>
      <p class="quiet">{ABOUT[value.mode]}</p>
      {dialog}
    </Panel>
  );
};
