import { connectPeer } from "../../src/client/index.ts";
import type { PlainMesh } from "../plain/mesh.ts";

/** Peers of the SDK whose handlers do nothing, and the number of runs of each. */
export interface EmptyPeers {
  readonly runs: readonly number[];
  close(): Promise<void>;
}

/** The kind of the tasks that these peers run. */
export const KIND = "echo";

/** Connects peers; resolves when the mesh has welcomed all of them. `onRun` is called when a handler starts. */
export async function connectPeers(
  { url, meshKey }: Pick<PlainMesh, "url" | "meshKey">,
  { count, slots, onRun = () => {} }: { count: number; slots: number; onRun?: () => void },
): Promise<EmptyPeers> {
  const runs = Array.from({ length: count }, () => 0);
  const peers = runs.map((_, n) =>
    connectPeer({
      url,
      meshKey,
      slots,
      handlers: {
        [KIND]: () => {
          runs[n] = (runs[n] ?? 0) + 1;
          onRun();
          return null;
        },
      },
    }),
  );
  await Promise.all(peers.map(({ ready }) => ready));
  return {
    runs,
    close: async () => void (await Promise.all(peers.map((peer) => peer.close()))),
  };
}
