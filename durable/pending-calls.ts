import type { RequestOutcome } from "./rpc.ts";

interface Waiting {
  readonly socket: WebSocket;
  readonly finish: (called: RequestOutcome) => void;
}

/** The RPC calls that wait for a peer's reply. In memory only: a pending RPC keeps the object in memory, and ends with it. */
export class PendingCalls {
  readonly #waiting = new Map<string, Waiting>();

  /** Resolves when the reply comes, when the socket's session ends, or after `ms` milliseconds. */
  wait(id: string, socket: WebSocket, ms: number): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      const finish = (called: RequestOutcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(called);
      };
      const timer = setTimeout(() => finish({ outcome: "timeout", reply: null }), ms);
      this.#waiting.set(id, { socket, finish });
    });
  }

  finish(id: string, called: RequestOutcome): void {
    this.#waiting.get(id)?.finish(called);
  }

  /** Ends the calls over this socket: its session has ended. */
  dropAll(socket: WebSocket): void {
    for (const waiting of this.#waiting.values())
      if (waiting.socket === socket) waiting.finish({ outcome: "no_session", reply: null });
  }
}
