import { controller, type MeshClient } from "../../client/index.ts";
import { FrameLog } from "../../conformance/session/frame-log.ts";
import { FrameSocket } from "../../conformance/session/frame-socket.ts";
import type { PreparedCheck } from "../../conformance/run-checks.ts";
import type { Operator, ServerBench, ServerCheck } from "../../conformance/server/server-bench.ts";
import { platformRandom } from "../../crypto/primitives/random.ts";
import { openWebSocket } from "./open-web-socket.ts";

interface Server {
  /** Ends in a slash. */
  readonly url: string;
  readonly token: string | undefined;
}

/** A connection of its own to the mesh, for one check. */
export async function prepareServerCheck(
  { url, token }: Server,
  check: ServerCheck,
): Promise<PreparedCheck> {
  const log = new FrameLog(() => Date.now());
  const sockets: FrameSocket[] = [];
  const bench: ServerBench = {
    url,
    log,
    random: platformRandom,
    operator: token === undefined ? null : operatorOf(controller({ url, token })),
    open: async (target, subprotocol) => {
      const socket = await openWebSocket(target, subprotocol);
      if (socket === null) return null;
      const framed = new FrameSocket(socket, log, "<-");
      sockets.push(framed);
      return framed;
    },
  };
  return {
    run: () => check.run(bench),
    frames: (count) => log.last(count),
    output: () => [],
    close: async () => {
      for (const socket of sockets) if (socket.closed === null) socket.close(1_000, "done");
    },
  };
}

const operatorOf = (mesh: MeshClient): Operator => ({
  allow: async (publicKey) => {
    const mode = await mesh.settings.authMode();
    if (mode === "allowlist") await mesh.allowlist.put(publicKey, { label: "conformance" });
  },
  submit: async (peerId, kind, payload) => (await mesh.tasks.submit(kind, payload, { peerId })).id,
  cancel: async (taskId) => void (await mesh.tasks.cancel(taskId)),
  task: async (taskId) => mesh.tasks.get(taskId),
});
