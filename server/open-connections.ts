import type { Server, Socket } from "node:net";

/**
 * Keeps account of a server's connections. Returns what destroys all of them: also those that HTTP has given up to an upgrade, those whose
 * TLS handshake goes on, and those that are closed on one side only, which a client may keep for as long as it likes. Node's
 * `closeAllConnections` does not know these, and each would keep the process running.
 */
export function trackConnections(server: Server): () => void {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
