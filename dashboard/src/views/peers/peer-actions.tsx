import type { PeerView } from "../../../../src/protocol/http.ts";
import { goTo } from "../../live/place.ts";
import { counted, line, shortId } from "../../model/format.ts";
import { Button } from "../../ui/button.tsx";
import { useConfirm, type Confirmed } from "../../ui/confirm.tsx";
import { useData } from "../data.ts";

interface PeerActionsProps {
  readonly peer: PeerView;
  readonly onDone: () => void;
}

/** What an administrator does about a peer. Each act asks first, and says what it has done. */
export const PeerActions = ({ peer, onDone }: PeerActionsProps) => {
  const { api } = useData().session;
  const [dialog, confirm] = useConfirm();
  const { id, connected, scheduling, state, circuits = [], tasks } = peer;
  const name = peer.name === "" ? shortId(id) : line(peer.name);
  const path = `/v1/peers/${encodeURIComponent(id)}`;

  const ask = (question: Omit<Confirmed, "run">, act: () => Promise<unknown>, done: string) =>
    confirm({
      ...question,
      run: async () => {
        await act();
        onDone();
        return done;
      },
    });

  return (
    <>
      {connected && scheduling === "open" && (
        <Button
          onClick={() =>
            ask(
              {
                title: `Cordon ${name}?`,
                body: <p>It stays connected, finishes what it runs, and gets no new tasks.</p>,
                action: "Cordon",
              },
              () => api.send("POST", `${path}/cordon`),
              `${name} is cordoned.`,
            )
          }
        >
          Cordon
        </Button>
      )}
      {scheduling !== "open" && (
        <Button
          onClick={() =>
            ask(
              {
                title: `Uncordon ${name}?`,
                body: <p>It gets tasks again.</p>,
                action: "Uncordon",
              },
              () => api.send("POST", `${path}/uncordon`),
              `${name} gets tasks again.`,
            )
          }
        >
          Uncordon
        </Button>
      )}
      {connected && scheduling !== "draining" && (
        <Button
          onClick={() =>
            ask(
              {
                title: `Drain ${name}?`,
                body: (
                  <p>
                    It gets no new tasks, hands back what it has not begun, finishes{" "}
                    {counted(tasks, "task")} and leaves.
                  </p>
                ),
                action: "Drain",
              },
              () => api.send("POST", `${path}/drain`, { json: {} }),
              `${name} is draining.`,
            )
          }
        >
          Drain
        </Button>
      )}
      {circuits.length > 0 && (
        <Button
          onClick={() =>
            ask(
              {
                title: `Let ${name} work again?`,
                body: <p>The mesh forgets that it kept failing, and gives it tasks at once.</p>,
                action: "Reset",
              },
              () => api.send("POST", `${path}/reset`),
              `${name} gets tasks again.`,
            )
          }
        >
          Reset
        </Button>
      )}
      {!connected && state !== "revoked" && (
        <Button
          onClick={() =>
            ask(
              {
                title: `Forget ${name}?`,
                body: <p>Its record and its history are removed. It may come back.</p>,
                action: "Forget",
              },
              async () => {
                await api.send("DELETE", path);
                goTo(["peers"]);
              },
              `${name} is forgotten.`,
            )
          }
        >
          Forget
        </Button>
      )}
      {state !== "revoked" && (
        <Button
          kind="danger"
          onClick={() =>
            ask(
              {
                title: `Revoke ${name}?`,
                body: (
                  <p>
                    Its key is barred from now on, its session ends, other peers get its tasks, and
                    tasks that it submitted are cancelled.
                  </p>
                ),
                action: "Revoke",
                danger: true,
              },
              () => api.send("POST", `${path}/revoke`),
              `${name} is revoked.`,
            )
          }
        >
          Revoke
        </Button>
      )}
      {dialog}
    </>
  );
};
