import type { Bytes } from "../base/bytes.ts";

/*
 * What the kit needs of the machine that it runs on: a server on the loopback interface, and processes. The checks and the scripted
 * mesh use these interfaces only.
 */

/** One end of an open WebSocket. */
export interface RawSocket {
  send(data: string | Uint8Array): void;
  /** Sends a close frame. */
  close(code: number, reason: string): void;
  /** Ends the TCP connection without a close frame. */
  drop(): void;
  /** Called with each data frame. A frame that arrives before it is set waits. */
  onData: (data: string | Bytes) => void;
  /** Called once. `code` is null when the connection ended without a close frame. */
  onClosed: (closed: SocketClosed) => void;
}

export interface SocketClosed {
  readonly code: number | null;
  readonly reason: string;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** With lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A request to open a WebSocket. */
export interface Upgrade {
  readonly request: HttpRequest;
  accept(subprotocol: string | null): RawSocket;
  refuse(answer: HttpAnswer): void;
}

/** What a server calls. */
export interface ServerListener {
  upgraded(upgrade: Upgrade): void;
  requested(request: HttpRequest): Promise<HttpAnswer>;
}

/** What the peer program is told in its environment, besides the address and the key of the mesh. */
export interface PeerSettings {
  readonly slots?: number;
  readonly capabilities?: readonly string[];
  readonly joinKey?: string;
  /** The largest frame that the program is to ask for. */
  readonly maxFrame?: number;
  /** Whether the program is told the key of the mesh; without it the program trusts the first key that is proved. */
  readonly pinsMeshKey?: boolean;
  /** Appended to the URL of the mesh. */
  readonly path?: string;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A peer program that runs. */
export interface PeerProgram {
  /** Null while it runs. */
  readonly end: ProgramEnd | null;
  readonly ended: Promise<ProgramEnd>;
  /** Asks the program to stop, with SIGTERM. */
  terminate(): void;
}
