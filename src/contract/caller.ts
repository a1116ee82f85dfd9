/**
 * Who may send a command: a peer's session, the HTTP gateway, another cell, or the mesh itself. The mesh's own commands run inside the
 * coordinator's object (due times, the outbox, the outcome of effects) and never arrive by RPC.
 */
export type CommandCaller = "session" | "gateway" | "cell" | "mesh";

/** One command: who may send it, what it receives, what it answers. */
interface CommandShape {
  readonly caller: CommandCaller;
  readonly input: object;
  readonly output: object | null;
}

/** The callers of a domain's commands at run time. Total: a command that is missing here does not compile. */
export type CallersOf<Commands extends { [K in keyof Commands]: CommandShape }> = {
  readonly [K in keyof Commands]: Commands[K]["caller"];
};

/** The peer whose session sends a command, or the dial whose attempt has led to a socket. */
export type SessionActor = `peer:${string}` | `dial:${string}`;
/** The caller of the HTTP API: the operator, an API token, or a request that carries no token (yet). */
export type GatewayActor = "admin" | "anonymous" | `token:${string}`;
