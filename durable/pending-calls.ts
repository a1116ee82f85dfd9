import type { Called } from "./rpc.ts";

interface Waiting {
  readonly socket: WebSocket;
  readonly finish: (called: Called) => void;
}

/** Who waits for a peer's answer. In memory alone: the call itself keeps the object awake, and ends with it. */
export class PendingCalls {
  readonly #waiting = new Map<string, Waiting>();

  /** Settles when the answer comes, the socket's session ends, or `ms` milliseconds are over. */
  wait(id: string, socket: WebSocket, ms: number): Promise<Called> {
    return new Promise((resolve) => {
      const finish = (called: Called): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(called);
      };
      const timer = setTimeout(() => finish({ outcome: "timeout", reply: null }), ms);
      this.#waiting.set(id, { socket, finish });
    });
  }

  finish(id: string, called: Called): void {
    this.#waiting.get(id)?.finish(called);
  }

  /** Nothing is answered any more over this socket. */
  dropAll(socket: WebSocket): void {
    for (const waiting of this.#waiting.values())
      if (waiting.socket === socket) waiting.finish({ outcome: "no_session", reply: null });
  }
}
